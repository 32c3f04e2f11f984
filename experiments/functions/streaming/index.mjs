import { setTimeout as sleep } from "node:timers/promises";

export const handler = awslambda.streamifyResponse(async (event, response) => {
  for (const word of ["one", "two", "three"]) {
    response.write(`${word} `);
    await sleep(200);
    if (event.fail_after === word) {
      throw new Error(`no more after ${word}`);
    }
    if (event.sleep_after === word) {
      await sleep(60_000);
    }
  }
  response.end();
});

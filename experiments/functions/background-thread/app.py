import threading
import time

worker = begun = None


def work():
    """One second of work, in ten steps."""
    for tick in range(1, 11):
        time.sleep(0.1)
        print(f"tick {tick}")
        if tick == 2:
            begun.set()
    print("the work is done")


def lambda_handler(event, context):
    global worker, begun
    if event.get("start"):
        begun = threading.Event()
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        begun.wait()
    if event.get("finish"):
        worker.join()
    return "done" if not worker.is_alive() else "still at work"

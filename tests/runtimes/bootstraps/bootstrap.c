#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sends a request and reads until the server hangs up. */
static char *ask(const char *request, char *answer, size_t size) {
    char host[64];
    int port, end = 0, got;
    sscanf(getenv("AWS_LAMBDA_RUNTIME_API"), "%63[^:]:%d", host, &port);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, (struct sockaddr *)&to, sizeof to)) exit(1);
    write(s, request, strlen(request));
    while ((got = read(s, answer + end, size - 1 - end)) > 0) end += got;
    close(s);
    answer[end] = 0;
    return answer;
}

int main(void) {
    static char answer[65536], request[65536];
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        ask("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n",
            answer, sizeof answer);
        char id[64], *event = strstr(answer, "\r\n\r\n") + 4;
        sscanf(strcasestr(answer, "lambda-runtime-aws-request-id:") + 30, " %63[^\r]", id);
        printf("C was asked: %s\n", event);
        snprintf(request, sizeof request,
                 "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: api\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s", id, strlen(event), event);
        ask(request, answer, sizeof answer);
    }
}

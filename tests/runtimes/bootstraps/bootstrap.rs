use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;

fn ask(request: String) -> String {
    let mut stream = TcpStream::connect(env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn main() {
    let path = "/2018-06-01/runtime/invocation";
    let rest = "HTTP/1.1\r\nHost: api\r\nConnection: close\r\n";
    loop {
        let next = ask(format!("GET {path}/next {rest}\r\n"));
        let (head, event) = next.split_once("\r\n\r\n").unwrap();
        let id = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("lambda-runtime-aws-request-id"))
            .unwrap()
            .1;
        println!("Rust was asked: {event}");
        let length = event.len();
        ask(format!("POST {path}/{id}/response {rest}Content-Length: {length}\r\n\r\n{event}"));
    }
}

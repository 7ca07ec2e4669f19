//! A custom runtime in Rust, on its standard library alone: asks the runtime API for an event, answers it, and asks again.
use std::env;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

struct Answer {
    request_id: String,
    body: Vec<u8>,
}

/// The runtime API on one connection, which stays open.
struct Api {
    host: String,
    reader: BufReader<TcpStream>,
}

impl Api {
    fn connect() -> Result<Api> {
        let variable = |name: &str| env::var(name).map_err(|_| Error::new(ErrorKind::NotFound, name.to_string()));
        let host = format!("{}:{}", variable("SCF_RUNTIME_API")?, variable("SCF_RUNTIME_API_PORT")?);
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        Ok(Api { host, reader: BufReader::new(stream) })
    }

    fn call(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let mut request = format!(
            "{method} /runtime/{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.reader.get_mut().write_all(&request)?;
        self.answer()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_string())
    }

    fn answer(&mut self) -> Result<Answer> {
        let status = self.line()?;
        let mut answer = Answer { request_id: String::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "request_id" => answer.request_id = value.trim().to_string(),
                "content-length" => answer.body = vec![0; value.trim().parse().unwrap_or(0)],
                _ => {}
            }
        }
        self.reader.read_exact(&mut answer.body)?;
        if status.contains(" 200 ") {
            Ok(answer)
        } else {
            Err(Error::new(ErrorKind::Other, status))
        }
    }
}

/// The function: JSON in, JSON out, or the text of an error.
fn handle(event: &str) -> std::result::Result<String, String> {
    if event == "null" {
        return Err("the event is null".to_string());
    }
    Ok(format!("{{\"message\":\"Hello from Rust\",\"event\":{event}}}"))
}

fn main() -> Result<()> {
    let mut api = Api::connect()?;
    api.call("POST", "init/ready", b"")?;
    loop {
        let next = api.call("GET", "invocation/next", b"")?;
        println!("{} {} bytes", next.request_id, next.body.len());
        match handle(&String::from_utf8_lossy(&next.body)) {
            Ok(result) => api.call("POST", "invocation/response", result.as_bytes())?,
            Err(message) => api.call("POST", "invocation/error", message.as_bytes())?,
        };
    }
}

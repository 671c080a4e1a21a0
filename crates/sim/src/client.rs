//! A customer's side of the line, for tests: asks the shop something over HTTP and reads the answer.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::Failure;

/// Longest wait for an answer. A server under test that is slower than this hangs.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Largest answer read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Asks one server, keeping its connections open between questions. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
}

/// What the server said. Refusals are answers too, not errors.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status, for example 201 or 409.
    pub status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// A client of the server at `base`, for example `http://127.0.0.1:8080`.
    pub fn new(base: impl Into<String>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_WAIT))
            .build()
            .new_agent();
        let base = base.into().trim_end_matches('/').to_owned();
        Self { agent, base, headers: Vec::new() }
    }

    /// The same client, sending one more header with everything it asks: an API key, a session.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.send("GET", path, None)
    }

    /// Sends a form to `path`, as a page in a browser does.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn submit(&self, path: &str, fields: &str) -> Result<Reply, Failure> {
        self.send("POST", path, Some(("application/x-www-form-urlencoded", fields.to_owned())))
    }

    /// Deletes `path`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn delete(&self, path: &str) -> Result<Reply, Failure> {
        self.send("DELETE", path, None)
    }

    /// Posts a JSON document to `path`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn post(&self, path: &str, document: &Value) -> Result<Reply, Failure> {
        self.send("POST", path, Some(json(document)))
    }

    /// Puts a JSON document at `path`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn put(&self, path: &str, document: &Value) -> Result<Reply, Failure> {
        self.send("PUT", path, Some(json(document)))
    }

    /// Changes what is at `path` by a JSON document.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn patch(&self, path: &str, document: &Value) -> Result<Reply, Failure> {
        self.send("PATCH", path, Some(json(document)))
    }

    /// Follows the server-sent events at `path`: the id and the document of each, as they come.
    ///
    /// # Errors
    /// If there is no answer, or a refusal.
    pub fn follow(
        &self,
        path: &str,
    ) -> Result<impl Iterator<Item = (String, Value)> + Send + use<>, Failure> {
        let following = || format!("following {}{path}", self.base);
        let mut request = Request::builder().method("GET").uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(()).map_err(|e| Failure::new(following(), e))?;
        let answer = self.agent.run(request).map_err(|e| Failure::new(following(), e))?;
        if !answer.status().is_success() {
            return Err(Failure::new(following(), answer.status()));
        }
        let mut lines = BufReader::new(answer.into_body().into_reader()).lines().map_while(Result::ok);
        let mut id = String::new();
        Ok(std::iter::from_fn(move || {
            loop {
                let line = lines.next()?;
                if let Some(text) = line.strip_prefix("id: ") {
                    id = text.to_owned();
                }
                if let Some(document) =
                    line.strip_prefix("data: ").and_then(|text| serde_json::from_str(text).ok())
                {
                    return Some((id.clone(), document));
                }
            }
        }))
    }

    fn send(&self, method: &str, path: &str, body: Option<(&str, String)>) -> Result<Reply, Failure> {
        let asking = || format!("asking {method} {}{path}", self.base);
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = match body {
            Some((kind, body)) => request
                .header("content-type", kind)
                .body(body)
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
            None => request.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
        };
        let mut answer = answer.map_err(|e| Failure::new(asking(), e))?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(|e| Failure::new(asking(), e))?;
        Ok(Reply { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
    }
}

/// A JSON document as a body.
fn json(document: &Value) -> (&'static str, String) {
    ("application/json", document.to_string())
}

impl Reply {
    /// A header of the answer, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as it came: pictures, documents.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; bytes that are no text become replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is not JSON; the failure shows what it is.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|e| {
            Failure::new(format!("reading answer {} as JSON: {:?}", self.status, self.text()), e)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use serde_json::json;

    use super::Client;

    /// Takes one connection, answers each request on it with the next answer, and returns what
    /// was asked.
    fn shop(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            answers
                .iter()
                .map(|answer| {
                    let request = read_request(&mut reader);
                    reader.get_mut().write_all(answer.as_bytes()).unwrap();
                    request
                })
                .collect()
        });
        (base, asked)
    }

    fn read_request(reader: &mut impl BufRead) -> String {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut request).unwrap(), 0, "{request}");
        }
        let length = request
            .to_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        request + std::str::from_utf8(&body).unwrap()
    }

    #[test]
    fn asks_twice_over_one_connection_and_takes_a_refusal_as_an_answer() {
        let (base, asked) = shop(&[
            "HTTP/1.1 201 Created\r\ncontent-length: 12\r\netag: \"1\"\r\n\r\n{\"pieces\":3}",
            "HTTP/1.1 409 Conflict\r\ncontent-length: 8\r\n\r\nsold out",
        ]);
        let client = Client::new(base).with_header("authorization", "Bearer key");

        let made = client.post("/v1/carts", &json!({ "sku": "84029G" })).unwrap();
        assert_eq!(made.status, 201);
        assert_eq!(made.header("ETag"), Some("\"1\""));
        assert_eq!(made.json().unwrap(), json!({ "pieces": 3 }));

        let refused = client.get("/v1/carts/1?include=lines").unwrap();
        assert_eq!((refused.status, refused.text()), (409, "sold out".into()));
        let unreadable = refused.json().unwrap_err().to_string();
        assert!(unreadable.starts_with("reading answer 409 as JSON: \"sold out\""));

        let asked = asked.join().unwrap();
        assert!(asked[0].starts_with("POST /v1/carts HTTP/1.1\r\n"));
        assert!(asked[0].contains("authorization: Bearer key\r\n"));
        assert!(asked[0].ends_with("{\"sku\":\"84029G\"}"));
        assert!(asked[1].starts_with("GET /v1/carts/1?include=lines HTTP/1.1\r\n"));
    }

    #[test]
    fn every_verb_goes_out_under_its_name() {
        const DONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";
        let (base, asked) = shop(&[DONE, DONE, DONE]);
        let client = Client::new(base);
        assert_eq!(client.put("/p", &json!(1)).unwrap().status, 204);
        assert_eq!(client.patch("/p", &json!(2)).unwrap().status, 204);
        assert_eq!(client.delete("/p").unwrap().status, 204);
        let verbs: Vec<String> = asked
            .join()
            .unwrap()
            .iter()
            .filter_map(|request| request.split(' ').next().map(String::from))
            .collect();
        assert_eq!(verbs, ["PUT", "PATCH", "DELETE"]);
    }

    #[test]
    fn no_answer_is_a_failure_that_names_the_question() {
        let port = crate::scratch::free_port().unwrap();
        let failure = Client::new(format!("http://127.0.0.1:{port}")).get("/health").unwrap_err().to_string();
        assert!(failure.starts_with(&format!("asking GET http://127.0.0.1:{port}/health: ")), "{failure}");
    }
}

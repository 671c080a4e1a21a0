//! Reads Rust source as words, texts and marks, so that rules never trip over a comment.

/// A piece of source and the line it begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its line, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a piece of source is. Comments, numbers, characters and lifetimes are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word(String),
    /// What stands in a string literal, escapes as written.
    Text(String),
    /// Any other character.
    Mark(char),
}

impl Token {
    /// The name or keyword, if it is one.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The string literal, if it is one.
    pub fn literal(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is this mark.
    pub fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// All pieces of a source file.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { chars: source.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(c) = reader.peek(0) {
        let line = reader.line;
        if let Some(kind) = reader.read(c) {
            tokens.push(Token { line, kind });
        }
    }
    tokens
}

/// Whether two colons stand at `at`.
pub fn is_path_mark(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is(':')) && tokens.get(at + 1).is_some_and(|token| token.is(':'))
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn step(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn take_while(&mut self, more: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek(0).filter(|c| more(*c)) {
            taken.push(c);
            self.step();
        }
        taken
    }

    fn read(&mut self, c: char) -> Option<Kind> {
        match (c, self.peek(1)) {
            ('/', Some('/')) => {
                self.take_while(|c| c != '\n');
                None
            }
            ('/', Some('*')) => {
                self.comment();
                None
            }
            ('"', _) => Some(self.string(None)),
            ('\'', _) => {
                self.character_or_lifetime();
                None
            }
            _ if c.is_whitespace() => {
                self.step();
                None
            }
            _ if c.is_ascii_digit() => {
                self.take_while(is_name);
                None
            }
            _ if is_name(c) => Some(self.word()),
            _ => {
                self.step();
                Some(Kind::Mark(c))
            }
        }
    }

    fn comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.step();
                    continue;
                }
            }
            self.step();
            self.step();
            if depth == 0 {
                return;
            }
        }
    }

    /// A name, or a string with a prefix: `b"…"`, `r#"…"#`.
    fn word(&mut self) -> Kind {
        let word = self.take_while(is_name);
        if !matches!(word.as_str(), "b" | "c" | "r" | "br" | "cr") {
            return Kind::Word(word);
        }
        let mut hashes = 0;
        while self.peek(hashes) == Some('#') {
            hashes += 1;
        }
        match self.peek(hashes) {
            Some('"') => {
                self.take_while(|c| c == '#');
                self.string(word.contains('r').then_some(hashes))
            }
            Some('\'') if word == "b" => {
                self.character_or_lifetime();
                Kind::Text(String::new())
            }
            // A raw name: `r#type`.
            _ if hashes == 1 && word == "r" => {
                self.step();
                Kind::Word(self.take_while(is_name))
            }
            _ => Kind::Word(word),
        }
    }

    /// A string from its first quote on; raw ones end with their hashes and know no escapes.
    fn string(&mut self, raw: Option<usize>) -> Kind {
        self.step();
        let mut text = String::new();
        while let Some(c) = self.step() {
            if c == '"' && (0..raw.unwrap_or(0)).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += raw.unwrap_or(0);
                break;
            }
            text.push(c);
            if c == '\\' && raw.is_none() {
                text.extend(self.step());
            }
        }
        Kind::Text(text)
    }

    fn character_or_lifetime(&mut self) {
        self.step();
        if self.peek(0) == Some('\\') {
            self.step();
            self.step();
            self.take_while(|c| c != '\'');
            self.step();
        } else if self.peek(1) == Some('\'') {
            self.step();
            self.step();
        } else {
            self.take_while(is_name);
        }
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[test]
fn comments_numbers_characters_and_lifetimes_are_left_out() {
    let source = r##"
        //! don't "stop" here
        /* nor /* here */ */ fn f<'a>(c: char) { g('"', '\'', b'{', 0x1F, "a\"b", r#"c"d"#, r#type) }
    "##;
    let found: Vec<String> = tokens(source)
        .into_iter()
        .map(|token| match token.kind {
            Kind::Word(word) => word,
            Kind::Text(text) => format!("<{text}>"),
            Kind::Mark(mark) => mark.into(),
        })
        .collect();
    let expected = r#"fn f < > ( c : char ) { g ( , , <> , , <a\"b> , <c"d> , type ) }"#;
    assert_eq!(found.join(" "), expected);
    assert_eq!(tokens(source)[0].line, 3);
}

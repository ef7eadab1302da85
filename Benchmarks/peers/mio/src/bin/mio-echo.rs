//! Echo with mio, edge-triggered; a short read means drained, as in the C peer.
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Result, Write};

const BUFFER: usize = 16384;
const LISTENER: Token = Token(usize::MAX);

struct Connection {
    stream: TcpStream,
    unsent: Vec<u8>,
    offset: usize,
}

impl Connection {
    /// Writes the pending bytes; returns whether none are left.
    fn flush(&mut self) -> Result<bool> {
        while self.offset < self.unsent.len() {
            match self.stream.write(&self.unsent[self.offset..]) {
                Ok(count) => self.offset += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unsent = Vec::new();
        self.offset = 0;
        Ok(true)
    }

    /// Returns whether the connection stays open.
    fn serve(&mut self, buffer: &mut [u8], is_read_closed: bool) -> Result<bool> {
        if !self.unsent.is_empty() && !self.flush()? {
            return Ok(true);
        }
        loop {
            let received = match self.stream.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut sent = 0;
            while sent < received {
                match self.stream.write(&buffer[sent..received]) {
                    Ok(count) => sent += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.unsent = buffer[sent..received].to_vec();
                        return Ok(true);
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            // An end of file that came with the data raises no further edge.
            if received < buffer.len() && !is_read_closed {
                return Ok(true);
            }
        }
    }
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
}

impl Server {
    fn accept_all(&mut self) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let id = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(id), interest)?;
            self.connections[id] = Some(Connection { stream, unsent: Vec::new(), offset: 0 });
        }
    }

    fn run(&mut self) -> Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0u8; BUFFER];
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in events.iter() {
                if event.token() == LISTENER {
                    self.accept_all()?;
                    continue;
                }
                let id = event.token().0;
                let Some(connection) = self.connections[id].as_mut() else { continue };
                if !event.is_readable() && connection.unsent.is_empty() {
                    continue; // The first edge reports only that it is writable.
                }
                let goes_on = connection.serve(&mut buffer, event.is_read_closed());
                if !matches!(goes_on, Ok(true)) {
                    self.connections[id] = None;
                    self.free.push(id);
                }
            }
        }
    }
}

fn main() -> Result<()> {
    let port: u16 = std::env::args().nth(1).and_then(|p| p.parse().ok()).expect("a port");
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], port).into())?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    Server { poll, listener, connections: Vec::new(), free: Vec::new() }.run()
}

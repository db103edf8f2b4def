//! Clients of a target that never answers, beside which another target is measured.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{BenchError, rig::HELD};

/// The clients that wait; dropping it lets them go.
pub(super) struct Hanging {
    stopped: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Hanging {
    /// Twice as many clients as the target's bulkhead holds, so that it is full all the time: who is turned away comes
    /// back after a while.
    ///
    /// # Errors
    /// When a client cannot connect.
    pub(super) fn start(address: &str, token: &str) -> Result<Self, BenchError> {
        let request = format!(
            "GET /proxy/hanging/hang HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let stopped = Arc::new(AtomicBool::new(false));
        let mut hanging = Self { stopped: stopped.clone(), clients: Vec::new() };
        for _ in 0..2 * HELD {
            let stream = TcpStream::connect(address).map_err(BenchError::system("connecting"))?;
            let (request, stopped) = (request.clone(), stopped.clone());
            hanging.clients.push(thread::spawn(move || drop(wait(stream, &request, &stopped))));
        }
        Ok(hanging)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            // A client that panicked has told so itself.
            let _ = client.join();
        }
    }
}

fn wait(mut stream: TcpStream, request: &str, stopped: &AtomicBool) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(100);
    stream.set_read_timeout(Some(PAUSE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = [0; 4096];
    while !stopped.load(Ordering::Relaxed) {
        match stream.read(&mut answer) {
            Ok(0) => return Ok(()),
            Ok(_) => {
                thread::sleep(PAUSE);
                stream.write_all(request.as_bytes())?;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

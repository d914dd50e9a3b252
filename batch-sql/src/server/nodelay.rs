//! Small packets at once, which the driver does not ask for.
//!
//! sqlx 0.9.0 leaves Nagle's algorithm on (launchbadge/sqlx#4335): the end of a COPY, a packet of its own behind the data, then waits
//! up to 40 ms for an acknowledgement, and so does the second half of a long statement to MySQL. The driver hides its socket, so it is
//! found among this process's own.

use std::net::SocketAddr;

/// Turns Nagle's algorithm off for this process's connections to that port of a server; `false` where it stays on, or may.
#[cfg(target_os = "linux")]
pub(super) fn set(port: u16) -> bool {
    sockets(port).is_ok_and(|found| found > 0)
}

/// Elsewhere a process cannot look at its own sockets.
#[cfg(not(target_os = "linux"))]
pub(super) fn set(_: u16) -> bool {
    false
}

/// A copy of each descriptor is taken by way of the process's own handle, which a container's rules may refuse: what another thread
/// closes meanwhile is then not ours to touch, and nothing else could make sure of that.
#[cfg(target_os = "linux")]
fn sockets(port: u16) -> std::io::Result<usize> {
    use rustix::{
        net::{getpeername, sockopt::set_tcp_nodelay},
        process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
    };

    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    let mut found = 0;
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let is_socket = std::fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()).filter(|_| is_socket) else { continue };
        let socket = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
        let peer = getpeername(&socket).ok().flatten().and_then(|peer| SocketAddr::try_from(peer).ok());
        if peer.is_some_and(|peer| peer.port() == port) {
            set_tcp_nodelay(&socket, true)?;
            found += 1;
        }
    }
    Ok(found)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::net::sockopt::tcp_nodelay;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn connections_to_the_port_are_found_and_no_others() {
        let (server, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let to = |listener: &TcpListener| TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, theirs) = (to(&server), to(&other));
        assert!(super::set(server.local_addr().unwrap().port()), "a process may look at its own sockets here");
        assert_eq!((tcp_nodelay(&ours).unwrap(), tcp_nodelay(&theirs).unwrap()), (true, false));
    }

    #[test]
    fn without_a_connection_nothing_is_promised() {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(!super::set(unused));
    }
}

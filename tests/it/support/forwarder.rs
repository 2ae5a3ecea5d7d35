//! A road to a server that can lead elsewhere, or nowhere: for failovers and cut networks.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Forwards connections on this machine.
pub struct Forwarder {
    port: u16,
    road: watch::Sender<Road>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Road {
    To(u16),
    Cut,
}

impl Forwarder {
    /// Leads to a port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (road, known) = watch::channel(Road::To(port));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, known.clone()));
            }
        });
        Self { port: own, road }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Connections end, and new ones are led there.
    pub fn lead_to(&self, port: u16) {
        self.road.send_replace(Road::To(port));
    }

    /// Connections stay and nothing goes through them any more, until it leads somewhere again.
    pub fn cut(&self) {
        self.road.send_replace(Road::Cut);
    }
}

async fn carry(mut client: TcpStream, mut road: watch::Receiver<Road>) {
    let to = *road.borrow_and_update();
    if let Road::To(port) = to {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = road.changed() => {}
        }
    }
    // What was under way when the road was cut is lost.
    let _ = road.wait_for(|road| *road != Road::Cut).await;
}

//! Where answers about host names come from.

use std::{io, net::IpAddr};

use async_trait::async_trait;

/// Something that knows the addresses of host names.
#[async_trait]
pub trait LookUp: Send + Sync {
    /// The host's addresses, each once, best first.
    ///
    /// # Errors
    /// When there is no answer.
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver, in whose order the addresses are tried (RFC 6724).
pub struct System;

#[async_trait]
impl LookUp for System {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for found in tokio::net::lookup_host((host, 0)).await? {
            if !addresses.contains(&found.ip()) {
                addresses.push(found.ip());
            }
        }
        Ok(addresses)
    }
}

#[cfg(test)]
pub mod testing {
    //! A name server that says what a test has it say.

    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use super::{IpAddr, LookUp, async_trait, io};

    #[derive(Default)]
    struct Says {
        addresses: Option<Vec<IpAddr>>,
        delay: Duration,
        asked: usize,
    }

    #[derive(Default)]
    pub struct Script(Mutex<Says>);

    impl Script {
        pub fn answering(addresses: &[IpAddr]) -> Arc<Self> {
            let script = Arc::new(Self::default());
            script.answer(addresses);
            script
        }

        pub fn answer(&self, addresses: &[IpAddr]) {
            self.0.lock().unwrap().addresses = Some(addresses.to_vec());
        }

        pub fn fail(&self) {
            self.0.lock().unwrap().addresses = None;
        }

        pub fn take(&self, delay: Duration) {
            self.0.lock().unwrap().delay = delay;
        }

        pub fn asked(&self) -> usize {
            self.0.lock().unwrap().asked
        }
    }

    #[async_trait]
    impl LookUp for Script {
        async fn look_up(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            let (answer, delay) = {
                let mut says = self.0.lock().unwrap();
                says.asked += 1;
                (says.addresses.clone(), says.delay)
            };
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            answer.ok_or_else(|| io::Error::other("no answer"))
        }
    }
}

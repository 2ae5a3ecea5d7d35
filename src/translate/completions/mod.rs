//! TODO

use super::{
    Answering, StreamWriter,
    form::{Answer, Event, Refusal, Request},
};
use crate::dialect::GatewayError;

pub fn read_request(_body: &[u8]) -> Result<Request<'_>, Refusal> {
    Ok(Request::default())
}
pub fn write_answer(_answer: &Answer<'_>, _context: &Answering) -> Vec<u8> {
    Vec::new()
}
pub struct Writer {}
impl Writer {
    pub fn new(_context: Answering) -> Self {
        Self {}
    }
}
impl StreamWriter for Writer {
    fn write(&mut self, _event: Event<'_>, _out: &mut Vec<u8>) {}
    fn abort(&mut self, _error: &GatewayError, _out: &mut Vec<u8>) {}
}

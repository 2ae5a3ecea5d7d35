
//! TODO

use super::{Answering, StreamWriter, form::{Answer, Event, Refusal, Request}};
use crate::dialect::GatewayError;

pub fn read_request(_body: &[u8]) -> Result<Request<'_>, Refusal> { Ok(Request::default()) }
pub fn write_answer(_answer: &Answer<'_>, _context: &Answering) -> Vec<u8> { Vec::new() }
pub struct Writer {}
impl Writer { pub fn new(_context: Answering) -> Self { Self {} } }
impl StreamWriter for Writer {
    fn write(&mut self, _event: Event<'_>, _out: &mut Vec<u8>) {}
    fn abort(&mut self, _error: &GatewayError, _out: &mut Vec<u8>) {}
}
pub fn write_request(_request: &super::form::Request<'_>, _target: &super::Target<'_>) -> Result<Vec<u8>, super::form::Refusal> { Ok(Vec::new()) }
pub fn read_answer(_body: &[u8]) -> Result<super::form::Answer<'_>, super::Unreadable> { Err(super::Unreadable(String::new())) }
#[derive(Default)]
pub struct Reader {}
impl super::StreamReader for Reader {
    fn read(&mut self, _name: &[u8], _data: &[u8], _to: &mut super::form::Events<'_>) {}
    fn end(&mut self, _to: &mut super::form::Events<'_>) {}
}pub fn inlines(_platform: super::Platform, _kind: &super::form::PartKind<'_>) -> bool { false }

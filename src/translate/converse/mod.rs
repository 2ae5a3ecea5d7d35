
pub fn write_request(_request: &super::form::Request<'_>, _target: &super::Target<'_>) -> Result<Vec<u8>, super::form::Refusal> { Ok(Vec::new()) }
pub fn read_answer(_body: &[u8]) -> Result<super::form::Answer<'_>, super::Unreadable> { Err(super::Unreadable(String::new())) }
#[derive(Default)]
pub struct Reader {}
impl super::StreamReader for Reader {
    fn read(&mut self, _name: &[u8], _data: &[u8], _to: &mut super::form::Events<'_>) {}
    fn end(&mut self, _to: &mut super::form::Events<'_>) {}
}pub fn inlines(_kind: &super::form::PartKind<'_>) -> bool { false }
pub fn exception(_name: &[u8], _payload: &[u8]) -> crate::dialect::StreamError { crate::dialect::StreamError { status: 500, kind: String::new(), message: String::new() } }

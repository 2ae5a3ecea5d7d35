//! What a model is called: by the name that is sent, and by those that it is known by.

/// A model's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelNames<'n> {
    /// What is sent: a model's id, or what an account called it (a deployment at Azure, a profile's ARN on
    /// Bedrock).
    pub sent: &'n str,
    /// What its provider says that this is, else the same.
    pub told: &'n str,
    /// That without the place where it runs.
    pub base: &'n str,
}

impl<'n> ModelNames<'n> {
    /// All of them, the most exact first. They are what an organization's own words may be about; what the
    /// program knows is of the last two alone, as a deployment may be named after a model that it is not.
    pub fn all(&self) -> impl Iterator<Item = &'n str> + use<'n> {
        let told = Some(self.told).filter(|told| *told != self.sent);
        let base = Some(self.base).filter(|base| *base != self.told);
        [Some(self.sent), told, base].into_iter().flatten()
    }
}

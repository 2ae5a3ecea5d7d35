//! What users and keys are called, for policies that name them.

use super::{StoreError, Tx};
use crate::domain::{Directory, OrgId, Person, Scope, ScopeType};

impl Tx {
    /// The names that these scopes ask for, and no more: organizations have many users and keys.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn directory(
        &mut self,
        org: OrgId,
        scopes: &[&Scope],
    ) -> Result<Directory, StoreError> {
        let mut directory = Directory::default();
        let by_name = |kind| scopes.iter().any(|scope| scope.kind == kind && scope.value.is_some());
        if by_name(ScopeType::User) || scopes.iter().any(|scope| scope.kind == ScopeType::Role) {
            let people = self.users(org).await?.into_iter().map(|user| {
                let person = Person { subject: user.subject, email: user.email, roles: user.roles };
                (user.id, person)
            });
            directory.people = people.collect();
        }
        if by_name(ScopeType::ApiKey) {
            let keys = self.keys(org).await?.into_iter().map(|key| (key.id, key.name));
            directory.keys = keys.collect();
        }
        Ok(directory)
    }
}

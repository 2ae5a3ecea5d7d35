//! Rows → [`super::OrgSnapshot`].

//! What `deploy/` holds: read by the tools that it is made for, and put to work where that can be done
//! here.

mod balancer;
mod chart;
mod context;
mod figures;
mod manifests;
mod nginx;
mod tools;

//! A named target: where it is, what may be asked of it, and with which credential.

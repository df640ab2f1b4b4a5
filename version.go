package promwire

// Version is the version of this module. The clients send it in the User-Agent header.
const Version = "0.1.0-dev"

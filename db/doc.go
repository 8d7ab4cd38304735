// Package db keeps what the database knows of validators: jobs, heartbeats, reward
// claims and GPU samples, in the types of package validator.
//
// Store is the door: it connects (or runs a PostgreSQL of its own, package privatepg),
// brings the tables up to date, watches over the connection and answers questions.
// While there is no database its methods fail at once with ErrUnavailable and State says
// why in words for people.
//
// The SQL stands in queries/, one file per table, and sqlc turns it into the files that
// say so at their top. The tables and the rules that the database itself enforces stand in
// migrations/. Nothing here computes what package validator can.
package db

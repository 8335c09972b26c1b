/**
 * Every SQLSTATE that PostgreSQL itself gives, and what it means, in words of our own: all that is said of an error while
 * values are masked. A function's author can raise any five characters (`RAISE … USING ERRCODE`), which makes an unknown
 * code a channel for data: it is replaced, never passed on.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const TABLE = `
00000 a message
01000 warning
0100C dynamic result sets were returned
01008 implicit zero padding of bits
01003 NULL was left out of an aggregate
01007 privilege was not granted
01006 privilege was not revoked
01004 string was cut off on the right
01P01 feature is deprecated
02000 no data
02001 no additional dynamic result sets
03000 SQL statement is not complete
08000 connection exception
08003 connection does not exist
08006 connection failed
08001 connection could not be established
08004 connection was rejected
08007 state of the transaction is not known
08P01 protocol violation
09000 triggered action exception
0A000 feature is not supported here
0B000 transaction cannot be started like this
0F000 locator exception
0F001 locator is not valid
0L000 grantor is not valid
0LP01 grant is not valid
0P000 role is not valid
0Z000 diagnostics exception
0Z002 diagnostics are only there within a handler
10608 argument of XQuery is not valid
20000 no branch of CASE applies
21000 more rows, or columns, than are allowed here
22000 data exception
2202E array subscript is out of range
22021 character is not in the repertoire
22008 date or time field is out of range
22012 division by zero
22005 value cannot be assigned
2200B escape characters conflict
22022 indicator overflow
22015 interval field overflow
2201E argument of a logarithm is not valid
22014 argument of NTILE is not valid
22016 argument of NTH_VALUE is not valid
2201F argument of a power is not valid
2201G argument of WIDTH_BUCKET is not valid
22018 character value is not valid for the cast
22007 date or time is not written as one
22019 escape character is not valid
2200D escape octet is not valid
22025 escape sequence is not valid
22P06 escape is used in a way that is not standard
22010 indicator parameter is not valid
22023 parameter value is not valid
22013 preceding or following size is not valid
2201B regular expression is not valid
2201W row count in LIMIT is not valid
2201X row count in OFFSET is not valid
22009 time zone displacement is not valid
2200C escape character is used wrongly
2200G types do not match the most specific one
22004 NULL is not allowed here
22002 NULL without an indicator parameter
22003 numeric value is out of range
2200H sequence generator limit is exceeded
22026 string length does not match
22001 value is too long for its type
22011 substring error
22027 trim error
22024 C string is not terminated
2200F character string has no length
22P01 floating-point exception
22P02 text is not a valid value of the type
22P03 binary form is not valid
22P04 COPY data is not as its format says
22P05 character cannot be translated
2200L not an XML document
2200M XML document is not valid
2200N XML content is not valid
2200S XML comment is not valid
2200T XML processing instruction is not valid
22030 key of a JSON object is there twice
22031 argument of a JSON date or time function is not valid
22032 JSON text is not valid
22033 SQL/JSON subscript is not valid
22034 more than one SQL/JSON item
22035 no SQL/JSON item
22036 SQL/JSON item is not a number
22037 keys of a JSON object are not unique
22038 a single SQL/JSON item is required
22039 SQL/JSON array was not found
2203A SQL/JSON member was not found
2203B SQL/JSON number was not found
2203C SQL/JSON object was not found
2203D too many elements in a JSON array
2203E too many members in a JSON object
2203F a SQL/JSON scalar is required
2203G SQL/JSON item cannot be cast to the type
23000 integrity constraint is violated
23001 a RESTRICT constraint is violated
23502 NULL violates a not-null constraint
23503 a foreign key constraint is violated
23505 duplicate key value violates a unique constraint
23514 a check constraint is violated
23P01 an exclusion constraint is violated
24000 cursor is not in a valid state
25000 transaction is not in a valid state
25001 a transaction is in progress already
25002 branch transaction is active already
25008 held cursor requires the same isolation level
25003 access mode is not valid for a branch transaction
25004 isolation level is not valid for a branch transaction
25005 no active transaction for a branch transaction
25006 not allowed in a read-only transaction
25007 schema and data statements cannot be mixed
25P01 there is no transaction in progress
25P02 current transaction is aborted, commands ignored until end of transaction block
25P03 idle-in-transaction timeout
25P04 transaction timeout
26000 prepared statement does not exist
27000 tuple to be changed was already changed by the statement itself
28000 authorization is not valid
28P01 password is not valid
2B000 privileges depend on it still
2BP01 other objects depend on it still
2D000 transaction cannot be ended here
2F000 routine failed
2F005 function ended without RETURN
2F002 routine may not change data
2F003 statement is not allowed in a routine
2F004 routine may not read data
34000 cursor does not exist
38000 external routine failed
38001 external routine may not contain SQL
38002 external routine may not change data
38003 statement is not allowed in an external routine
38004 external routine may not read data
39000 external routine was called wrongly
39001 SQLSTATE of an external routine is not valid
39004 NULL is not allowed for an external routine
39P01 trigger protocol is violated
39P02 protocol of a set-returning function is violated
39P03 event trigger protocol is violated
3B000 savepoint exception
3B001 savepoint does not exist
3D000 database does not exist
3F000 schema does not exist
40000 transaction was rolled back
40002 transaction was rolled back by a constraint
40001 could not serialize access, try the transaction again
40003 it is not known whether the statement completed
40P01 deadlock detected
42000 syntax error or access rule violation
42601 syntax error
42501 permission denied
42846 type cannot be cast
42803 grouping error
42P20 windowing error
42P19 recursion is not valid
42830 foreign key is not valid
42602 name is not valid
42622 name is too long
42939 name is reserved
42804 types do not match
42P18 type cannot be determined
42P21 collations do not match
42P22 collation cannot be determined
42809 object is of the wrong kind
428C9 a generated column cannot be written
42703 column does not exist
42883 function or operator does not exist for arguments of these types
42P01 relation does not exist
42P02 parameter does not exist
42704 object does not exist
42701 column exists already or is named twice
42P03 cursor exists already
42P04 database exists already
42723 function exists already
42P05 prepared statement exists already
42P06 schema exists already
42P07 relation exists already
42712 table name is given more than once
42710 object exists already
42702 column is ambiguous
42725 function or operator is not unique for arguments of these types
42P08 parameter is ambiguous
42P09 alias is ambiguous
42P10 reference to a column is not valid
42611 column definition is not valid
42P11 cursor definition is not valid
42P12 database definition is not valid
42P13 function definition is not valid
42P14 prepared statement definition is not valid
42P15 schema definition is not valid
42P16 table definition is not valid
42P17 object definition is not valid
44000 new row violates the check option of the view
53000 insufficient resources
53100 disk is full
53200 out of memory
53300 too many connections
53400 a configured limit is exceeded
54000 a limit of the program is exceeded
54001 statement is too complex
54011 too many columns
54023 too many arguments
55000 object is not in the state that this needs
55006 object is in use
55P02 setting cannot be changed now
55P03 lock is not available
55P04 new value of an enum is used before its commit
57000 operator intervention
57014 canceling statement on request, or after a timeout
57P01 terminating connection due to administrator command
57P02 terminating connection because of a crash of another server process
57P03 the database takes no connections now
57P04 database was dropped
57P05 terminating connection due to idle-session timeout
58000 system error
58030 input or output error
58P01 file is not there
58P02 file is there already
58P03 name of a file is too long
72000 snapshot is too old
F0000 configuration file error
F0001 lock file is there already
HV000 foreign data wrapper failed
HV005 foreign data wrapper: column name was not found
HV002 foreign data wrapper: dynamic parameter is needed
HV010 foreign data wrapper: functions in the wrong order
HV021 foreign data wrapper: descriptor information is not consistent
HV024 foreign data wrapper: attribute value is not valid
HV007 foreign data wrapper: column name is not valid
HV008 foreign data wrapper: column number is not valid
HV004 foreign data wrapper: data type is not valid
HV006 foreign data wrapper: data type descriptors are not valid
HV091 foreign data wrapper: field of a descriptor is not valid
HV00B foreign data wrapper: handle is not valid
HV00C foreign data wrapper: option index is not valid
HV00D foreign data wrapper: option name is not valid
HV090 foreign data wrapper: string or buffer length is not valid
HV00A foreign data wrapper: string format is not valid
HV009 foreign data wrapper: null pointer is used wrongly
HV014 foreign data wrapper: too many handles
HV001 foreign data wrapper: out of memory
HV00P foreign data wrapper: no schemas
HV00J foreign data wrapper: option name was not found
HV00K foreign data wrapper: reply handle
HV00Q foreign data wrapper: schema was not found
HV00R foreign data wrapper: table was not found
HV00L foreign data wrapper: execution cannot be made
HV00M foreign data wrapper: reply cannot be made
HV00N foreign data wrapper: connection cannot be made
P0000 procedure failed
P0001 a function raised an exception
P0002 no data was found
P0003 too many rows
P0004 an assertion failed
XX000 internal error
XX001 data is corrupted
XX002 index is corrupted
`;

/** What each SQLSTATE means. */
export const CONDITIONS: ReadonlyMap<string, string> = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => [line.slice(0, 5), line.slice(6)]),
);

/**
 * The built-in functions that we know, by what they can do. A name of pg_catalog that is in none of these lists is
 * `unsafe`: the lists are what was looked at, not what was forgotten. Overloads of one name are of one class.
 * `pg_input_is_valid` and its like are left out: they run the input function of any type that they are told by name.
 *
 * @see https://www.postgresql.org/docs/current/functions.html
 */

/** Their result depends on their arguments, the clock or chance, and nothing else happens. */
export const PURE = `
abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd degrees
div erf erfc exp factorial floor gamma gcd lcm lgamma ln log log10 min_scale mod pi pow power radians random
random_normal round scale sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket
ascii bit_count bit_length btrim casefold char_length character_length chr concat concat_ws convert convert_from
convert_to crc32 crc32c decode encode format get_bit get_byte initcap is_normalized left length like_escape lower lpad
ltrim md5 normalize octet_length overlay parse_ident pg_client_encoding position quote_ident quote_literal
quote_nullable regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
regexp_split_to_table regexp_substr repeat replace reverse right rpad rtrim set_bit set_byte sha224 sha256 sha384
sha512 similar_escape similar_to_escape split_part starts_with string_to_array string_to_table strpos substr substring
to_ascii to_bin to_hex to_oct translate unicode_assigned unistr upper textcat texteq like notlike ilike
age clock_timestamp date_add date_bin date_part date_subtract date_trunc extract in_range isfinite justify_days justify_hours
justify_interval make_date make_interval make_time make_timestamp make_timestamptz now overlaps statement_timestamp
timeofday timezone to_char to_date to_number to_timestamp transaction_timestamp
abbrev broadcast family host hostmask inet_merge inet_same_family masklen macaddr8_set7bit netmask network set_masklen
area box center circle diagonal diameter height isclosed ishorizontal isopen isparallel isperp isvertical line lseg
npoints path pclose point polygon popen radius slope width bound_box
array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort array_to_string
array_to_json array_upper cardinality trim_array unnest generate_series generate_subscripts
enum_first enum_last enum_range
daterange datemultirange int4range int4multirange int8range int8multirange numrange nummultirange tsrange
tsmultirange tstzrange tstzmultirange isempty lower_inc lower_inf multirange range_merge upper_inc upper_inf
json json_array json_array_elements json_array_elements_text json_array_length json_build_array json_build_object
json_each json_each_text json_exists json_extract_path json_extract_path_text json_object json_object_keys
json_populate_record json_populate_recordset json_query json_scalar json_serialize json_strip_nulls json_table
json_to_record json_to_recordset json_typeof json_value jsonb_array_elements jsonb_array_elements_text
jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all
jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_keys
jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array
jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls
jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json to_jsonb
xml xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlagg xmlcomment xmlconcat xmlexists
xmltext xpath xpath_exists
array_to_tsvector get_current_ts_config json_to_tsvector jsonb_to_tsvector numnode phraseto_tsquery plainto_tsquery
querytree setweight strip to_tsquery to_tsvector ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsquery_phrase
tsvector_to_array websearch_to_tsquery tsvector_concat
any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg
json_agg_strict json_arrayagg json_object_agg json_objectagg json_object_agg_strict json_object_agg_unique
json_object_agg_unique_strict jsonb_agg jsonb_agg_strict jsonb_object_agg jsonb_object_agg_strict
jsonb_object_agg_unique jsonb_object_agg_unique_strict max min mode percentile_cont percentile_disc range_agg
range_intersect_agg regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev
stddev_pop stddev_samp string_agg sum var_pop var_samp variance
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
bit bool bpchar char cidr date float4 float8 int2 int4 int8 interval macaddr macaddr8 money name numeric oid text time
timestamp timestamptz timetz varbit varchar
gen_random_uuid uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7
hashtext hashtextextended hashint4 hashint8 hash_array hash_record hash_record_extended
num_nonnulls num_nulls pg_collation_for pg_column_size pg_size_bytes
pg_size_pretty pg_typeof pg_lsn pg_wal_lsn_diff merge_action bernoulli system
`;

/** They read what every role may know of the schema, the server and its own session, or give back what that holds. */
export const CATALOG = `
version current_database current_schema current_schemas current_setting current_user session_user user current_catalog
current_role system_user getpgusername getdatabaseencoding pg_backend_pid pg_postmaster_start_time pg_conf_load_time
pg_is_in_recovery inet_client_addr inet_client_port inet_server_addr inet_server_port pg_my_temp_schema
pg_is_other_temp_schema pg_trigger_depth pg_jit_available pg_char_to_encoding pg_encoding_to_char
pg_encoding_max_length pg_blocking_pids pg_safe_snapshot_blocking_pids pg_listening_channels pg_timezone_abbrevs
pg_timezone_names pg_show_all_settings pg_settings_get_flags pg_advisory_unlock_all
pg_collation_is_visible pg_conversion_is_visible pg_function_is_visible pg_opclass_is_visible pg_operator_is_visible
pg_opfamily_is_visible pg_statistics_obj_is_visible pg_table_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible
pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible
has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege has_schema_privilege
has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege
pg_has_role row_security_active acldefault aclexplode makeaclitem pg_get_acl
col_description obj_description shobj_description format_type pg_basetype pg_describe_object pg_identify_object
pg_identify_object_as_address pg_get_object_address pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr
pg_get_function_arg_default pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result
pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_partition_constraintdef
pg_get_partkeydef pg_get_publication_tables pg_get_replica_identity_index pg_get_serial_sequence
pg_get_statisticsobjdef pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_triggerdef
pg_get_ruledef pg_get_viewdef
pg_stat_get_numscans pg_is_wal_replay_paused ts_token_type
pg_get_userbyid pg_index_column_has_property pg_index_has_property pg_indexam_has_property pg_options_to_table
pg_column_is_updatable pg_relation_is_publishable pg_relation_is_updatable pg_partition_ancestors pg_partition_root
pg_partition_tree pg_sequence_parameters pg_tablespace_databases pg_tablespace_location pg_column_compression
pg_collation_actual_version pg_database_collation_actual_version pg_available_extensions
pg_available_extension_versions pg_extension_update_paths oidvectortypes
to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype
to_regtypemod regclass
pg_database_size pg_indexes_size pg_relation_size pg_table_size pg_tablespace_size pg_total_relation_size
pg_relation_filenode pg_filenode_relation
pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_snapshot_xip pg_snapshot_xmax
pg_snapshot_xmin pg_visible_in_snapshot pg_xact_commit_timestamp pg_xact_status txid_current txid_current_if_assigned
txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_status txid_visible_in_snapshot
mxid_age pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn
pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_walfile_name
`;

/** They change or wait on something of the session or a counter, not on rows. */
export const SESSION = `
set_config setseed nextval currval lastval setval pg_sequence_last_value pg_sleep pg_sleep_for pg_sleep_until pg_notify
pg_notification_queue_usage pg_export_snapshot pg_stat_clear_snapshot
pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_shared
pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
`;

/**
 * Volatile functions in C of extensions that were looked at (uuid-ossp, pgcrypto, tablefunc, pg_uuidv7): what they give is made of
 * chance, the clock and their arguments. None takes SQL as text, reads a row, or changes a setting.
 */
export const EXTENSIONS_BY_CHANCE = `
uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuid_generate_v7
gen_random_bytes gen_random_uuid gen_salt pgp_sym_encrypt pgp_sym_encrypt_bytea pgp_pub_encrypt pgp_pub_encrypt_bytea
normal_rand
`;

/**
 * They set the server's counters of what it did back to nought, for everybody, and read no row: nobody is told anything by them that is
 * masked, and they stay unsafe.
 */
export const BLIND = `
pg_stat_reset pg_stat_reset_replication_slot pg_stat_reset_shared pg_stat_reset_single_function_counters
pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_subscription_stats
`;

/** Catalog functions whose answer can hold constants taken from data: defaults, partition bounds. Never shown unmasked. */
export const DEFINITIONS = `pg_get_expr pg_get_partition_constraintdef current_query`;

/** They write out what views and rules are made of, with the names of all relations in them, and with the constants. */
export const RULE_TEXTS = `pg_get_ruledef pg_get_viewdef`;

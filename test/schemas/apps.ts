import type { Package } from './fetch.ts';

/** What becomes of a statement for one for whom some columns are masked: all of it is shown, or some of it is not. */
export type Expected = 'answered' | 'masked' | 'refused';

/** A well-known application: where its schema is, what of it is personal, and what it asks its database all day. */
export interface App {
  readonly name: string;
  readonly source: Package;
  /** Structure files, or migrations, in the order in which its own tool runs them. */
  readonly files: readonly string[];
  /** `schema.table.column`. */
  readonly masked: readonly string[];
  /** Run once, past the gateway, so that there are rows to show. */
  readonly rows: string;
  readonly queries: readonly (readonly [Expected, string])[];
}

const deb = (name: string): Package => ({ from: 'deb', name });

export const APPS: readonly App[] = [
  {
    name: 'roundcube',
    source: deb('roundcube-core'),
    files: ['usr/share/roundcube/SQL/postgres.initial.sql'],
    masked: ['public.identities.email', 'public.contacts.email', 'public.contacts.name'],
    rows: `INSERT INTO users (username, mail_host) VALUES ('ann', 'localhost'), ('bob', 'localhost');
      INSERT INTO identities (user_id, name, email) SELECT user_id, username, username || '@example.com' FROM users;
      INSERT INTO contacts (user_id, name, email) SELECT user_id, 'Friend of ' || username, 'friend@example.org' FROM users;`,
    queries: [
      ['answered', `SELECT * FROM users WHERE mail_host = 'localhost' AND username = 'ann'`],
      ['answered', `UPDATE users SET last_login = now(), failed_login_counter = NULL WHERE user_id = 1`],
      [
        'masked',
        `SELECT * FROM identities WHERE del <> 1 AND user_id = 1 ORDER BY standard DESC, identity_id ASC`,
      ],
      [
        'answered',
        `SELECT count(c.contact_id) AS rows FROM contacts AS c WHERE c.del <> 1 AND c.user_id = 1`,
      ],
      [
        'masked',
        `SELECT * FROM contacts AS c WHERE c.del <> 1 AND c.user_id = 1 ORDER BY c.contact_id LIMIT 50 OFFSET 0`,
      ],
      ['answered', `SELECT vars, ip, changed, now() AS ts FROM session WHERE sess_id = 'abc'`],
      ['answered', `INSERT INTO session (sess_id, vars, ip, changed) VALUES ('abc', '', '127.0.0.1', now())`],
      ['answered', `DELETE FROM session WHERE changed < now() - interval '10 minutes'`],
      ['answered', `SELECT data, cache_key FROM cache WHERE user_id = 1 AND cache_key = 'x'`],
      ['answered', `INSERT INTO contactgroups (user_id, name) VALUES (1, 'Friends')`],
      [
        'answered',
        `SELECT contactgroup_id, name FROM contactgroups WHERE del <> 1 AND user_id = 1 ORDER BY name`,
      ],
      ['refused', `SELECT contact_id FROM contacts WHERE user_id = 1 AND email ILIKE 'friend%'`],
    ],
  },
  {
    name: 'zabbix',
    source: deb('zabbix-server-pgsql'),
    files: ['usr/share/zabbix-server-pgsql/schema.sql.gz'],
    masked: ['public.media.sendto', 'public.users.surname'],
    rows: `INSERT INTO role (roleid, name) VALUES (1, 'Admin role'); INSERT INTO media_type (mediatypeid, name) VALUES (1, 'Email');
      INSERT INTO users (userid, username, name, surname, roleid) VALUES (1, 'Admin', 'Zabbix', 'Administrator', 1);
      INSERT INTO hosts (hostid, host, name) VALUES (1, 'web', 'Web server'), (2, 'db', 'Database');
      INSERT INTO media (mediaid, userid, mediatypeid, sendto) VALUES (1, 1, 1, 'admin@example.com')`,
    queries: [
      ['answered', `SELECT userid, roleid, passwd FROM users WHERE username = 'Admin'`],
      ['masked', `SELECT u.userid, u.username, u.name, u.surname FROM users u WHERE u.userid = 1`],
      [
        'masked',
        `SELECT m.mediaid, m.sendto, m.active FROM media m JOIN users u ON u.userid = m.userid WHERE u.username = 'Admin'`,
      ],
      [
        'answered',
        `SELECT h.hostid, h.host, h.name, h.status FROM hosts h WHERE h.status IN (0, 1) AND h.flags IN (0, 4) ORDER BY h.name LIMIT 20`,
      ],
      [
        'answered',
        `SELECT count(DISTINCT i.itemid) AS rowscount FROM items i, hosts h WHERE h.hostid = i.hostid AND h.status = 3`,
      ],
      ['answered', `SELECT hg.groupid, count(*) FROM hosts_groups hg GROUP BY hg.groupid ORDER BY 2 DESC`],
      [
        'answered',
        `SELECT t.triggerid, t.description, f.functionid FROM triggers t JOIN functions f ON f.triggerid = t.triggerid LIMIT 10`,
      ],
      [
        'answered',
        `SELECT i.itemid FROM items i WHERE i.delay <> '0' AND EXISTS (SELECT NULL FROM hosts h WHERE h.hostid = i.hostid AND h.status = 0) ORDER BY i.itemid LIMIT 5`,
      ],
      ['answered', `UPDATE users SET attempt_failed = 0 WHERE userid = 1`],
      ['answered', `INSERT INTO history_uint (itemid, clock, ns, value) VALUES (10001, 1700000000, 0, 42)`],
      [
        'answered',
        `SELECT clock, value FROM history_uint WHERE itemid = 10001 AND clock > 1600000000 ORDER BY clock DESC LIMIT 1`,
      ],
      [
        'answered',
        `SELECT ug.usrgrpid FROM usrgrp ug WHERE EXISTS (SELECT 1 FROM users_groups x WHERE x.usrgrpid = ug.usrgrpid)`,
      ],
    ],
  },
  {
    name: 'mediawiki',
    source: deb('mediawiki'),
    files: ['tables-generated.sql', 'tables.sql'].map(
      (file) => `usr/share/mediawiki/maintenance/postgres/${file}`,
    ),
    masked: ['public.user.user_email', 'public.user.user_real_name'],
    rows: `INSERT INTO "user" (user_name, user_password, user_newpassword, user_touched, user_email, user_real_name)
        VALUES ('Ann', '', '', now(), 'ann@example.com', 'Ann Example');
      INSERT INTO actor (actor_user, actor_name) VALUES (1, 'Ann');
      INSERT INTO page (page_namespace, page_title, page_random, page_touched, page_latest, page_len)
        VALUES (0, 'Main_Page', 0.5, now(), 1, 10);`,
    queries: [
      ['answered', `SELECT user_id FROM "user" WHERE user_name = 'Ann' LIMIT 1`],
      [
        'masked',
        `SELECT user_id, user_name, user_real_name, user_email, user_touched FROM "user" WHERE user_id = 1`,
      ],
      [
        'answered',
        `SELECT page_id, page_namespace, page_title, page_latest FROM page WHERE page_namespace = 0 AND page_title = 'Main_Page' LIMIT 1`,
      ],
      [
        'answered',
        `SELECT count(*) AS rowcount FROM (SELECT 1 FROM page WHERE page_is_redirect = 0 LIMIT 100) tmp_count`,
      ],
      [
        'answered',
        `SELECT rc_id, rc_title, actor_name FROM recentchanges JOIN actor ON actor_id = rc_actor ORDER BY rc_timestamp DESC LIMIT 50`,
      ],
      [
        'answered',
        `SELECT rev_id, rev_page, actor_name FROM revision JOIN actor ON actor_id = rev_actor LEFT JOIN "user" ON user_id = actor_user WHERE rev_page = 1`,
      ],
      ['answered', `SELECT cl_to FROM categorylinks WHERE cl_from = 1 ORDER BY cl_to`],
      ['answered', `UPDATE page SET page_touched = now() WHERE page_id = 1`],
      ['answered', `INSERT INTO objectcache (keyname, value, exptime) VALUES ('k', 'v', now())`],
      ['answered', `DELETE FROM objectcache WHERE exptime < now() - interval '1 day'`],
      ['answered', `UPDATE site_stats SET ss_total_edits = ss_total_edits + 1`],
      ['answered', `SELECT up_property, up_value FROM user_properties WHERE up_user = 1`],
    ],
  },
  {
    name: 'kea',
    source: deb('kea-admin'),
    files: ['usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql'],
    masked: ['public.lease4.hostname', 'public.hosts.hostname'],
    rows: `INSERT INTO lease4 (address, hwaddr, client_id, valid_lifetime, expire, subnet_id, hostname, state)
      VALUES (3232235777, '\\x0102', '\\x03', 3600, now() + interval '1 hour', 1, 'laptop.ann.example.com', 0)`,
    queries: [
      [
        'answered',
        `SELECT address, hwaddr, valid_lifetime, extract(epoch FROM expire)::bigint, subnet_id FROM lease4 WHERE address = 3232235777`,
      ],
      ['masked', `SELECT address, hwaddr, subnet_id, hostname, state FROM lease4 WHERE subnet_id = 1`],
      [
        'answered',
        `SELECT subnet_id, state, leases AS state_count FROM lease4_stat ORDER BY subnet_id, state`,
      ],
      ['answered', `SELECT count(*) FROM lease4 WHERE state = 0 AND subnet_id BETWEEN 1 AND 9`],
      [
        'answered',
        `SELECT address FROM lease4 WHERE state <> 2 AND expire < now() ORDER BY expire LIMIT 100`,
      ],
      ['answered', `SELECT version, minor FROM schema_version`],
      ['answered', `SELECT state, name FROM lease_state ORDER BY state`],
      ['answered', `SELECT host_id, dhcp4_subnet_id, ipv4_address FROM hosts WHERE dhcp4_subnet_id = 1`],
    ],
  },
  {
    name: 'bacula',
    source: deb('bacula-director-pgsql'),
    files: ['usr/share/dbconfig-common/data/bacula-director-pgsql/install/pgsql'],
    masked: ['public.client.uname'],
    rows: `INSERT INTO client (name, uname) VALUES ('web-fd', 'Linux host of Ann');
      INSERT INTO job (job, name, type, level, clientid, jobstatus) VALUES ('nightly.1', 'nightly', 'B', 'F', 1, 'T');`,
    queries: [
      ['answered', `SELECT clientid, name FROM client WHERE name = 'web-fd'`],
      ['masked', `SELECT clientid, name, uname, autoprune FROM client ORDER BY name`],
      [
        'answered',
        `SELECT jobid, job, name, jobstatus FROM job JOIN client USING (clientid) ORDER BY jobid DESC LIMIT 10`.replace(
          'name, jobstatus',
          'job.name, jobstatus',
        ),
      ],
      ['answered', `SELECT count(jobid), sum(jobfiles), sum(jobbytes) FROM job WHERE jobstatus = 'T'`],
      [
        'answered',
        `SELECT mediaid, volumename, volstatus FROM media, pool WHERE media.poolid = pool.poolid AND pool.name = 'Default'`,
      ],
      ['answered', `UPDATE job SET jobstatus = 'T', jobfiles = 10 WHERE jobid = 1`],
      ['answered', `INSERT INTO filename (name) VALUES ('passwd')`],
      ['answered', `SELECT filenameid FROM filename WHERE name = 'passwd'`],
      ['answered', `SELECT jobstatus, jobstatuslong FROM status WHERE jobstatus = 'T'`],
    ],
  },
  {
    name: 'tt-rss',
    source: deb('tt-rss'),
    files: ['usr/share/tt-rss/schema/ttrss_schema_pgsql.sql'],
    masked: ['public.ttrss_users.email', 'public.ttrss_users.full_name'],
    rows: `UPDATE ttrss_users SET email = 'admin@example.com', full_name = 'Ann Example'`,
    queries: [
      [
        'answered',
        `SELECT id, login, access_level, pwd_hash FROM ttrss_users WHERE lower(login) = lower('admin')`,
      ],
      ['masked', `SELECT id, login, email, full_name FROM ttrss_users WHERE id = 1`],
      ['answered', `UPDATE ttrss_users SET last_login = now() WHERE id = 1`],
      [
        'answered',
        `SELECT f.id, f.title, f.feed_url FROM ttrss_feeds f LEFT JOIN ttrss_feed_categories c ON c.id = f.cat_id WHERE f.owner_uid = 1 ORDER BY f.title`,
      ],
      [
        'answered',
        `SELECT count(int_id) AS unread FROM ttrss_user_entries WHERE unread = true AND owner_uid = 1`,
      ],
      [
        'answered',
        `SELECT e.id, e.title, ue.marked FROM ttrss_entries e, ttrss_user_entries ue WHERE ue.ref_id = e.id AND ue.owner_uid = 1 ORDER BY e.date_entered DESC LIMIT 30 OFFSET 0`,
      ],
      ['answered', `INSERT INTO ttrss_sessions (id, data, expire) VALUES ('s1', '', 1700000000)`],
      [
        'answered',
        `SELECT value FROM ttrss_prefs p JOIN ttrss_user_prefs u ON u.pref_name = p.pref_name WHERE u.owner_uid = 1`,
      ],
      ['answered', `SELECT schema_version FROM ttrss_version`],
    ],
  },
  {
    name: 'synapse',
    source: { from: 'pip', name: 'matrix-synapse' },
    files: ['common', 'main', 'state'].map(
      (part) => `synapse/storage/schema/${part}/full_schemas/72/full.sql.postgres`,
    ),
    masked: ['public.user_threepids.address', 'public.profiles.displayname'],
    rows: `INSERT INTO users (name, creation_ts) VALUES ('@ann:example.com', 1);
      INSERT INTO profiles (user_id, displayname) VALUES ('ann', 'Ann Example');
      INSERT INTO user_threepids VALUES ('@ann:example.com', 'email', 'ann@example.com', 1, 1);`,
    queries: [
      ['answered', `SELECT name, password_hash, is_guest, admin FROM users WHERE name = '@ann:example.com'`],
      ['masked', `SELECT displayname, avatar_url FROM profiles WHERE user_id = 'ann'`],
      [
        'masked',
        `SELECT medium, address, validated_at FROM user_threepids WHERE user_id = '@ann:example.com'`,
      ],
      ['answered', `SELECT count(*) FROM users WHERE deactivated = 0`],
      [
        'answered',
        `SELECT event_id, stream_ordering FROM events WHERE room_id = '!r' ORDER BY stream_ordering DESC LIMIT 20`,
      ],
      [
        'answered',
        `SELECT m.room_id, count(*) FROM room_memberships m JOIN rooms r ON r.room_id = m.room_id WHERE m.membership = 'join' GROUP BY m.room_id`,
      ],
      ['answered', `INSERT INTO rooms (room_id, is_public) VALUES ('!r', true)`],
      [
        'answered',
        `INSERT INTO user_ips (user_id, access_token, ip, user_agent, last_seen) VALUES ('@ann:example.com', 't', '::1', 'x', 1)`,
      ],
      ['answered', `SELECT stream_id, user_id FROM presence_stream WHERE stream_id > 0 ORDER BY stream_id`],
      [
        'refused',
        `SELECT user_id FROM user_threepids WHERE medium = 'email' AND address = 'ann@example.com'`,
      ],
    ],
  },
];

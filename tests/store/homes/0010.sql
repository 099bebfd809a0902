BEGIN TRANSACTION;
CREATE TABLE account (
	id INTEGER NOT NULL, 
	space INTEGER NOT NULL, 
	lookup BLOB NOT NULL, 
	sealed BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (space, lookup)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE answer (
	unit VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (unit, name)
);
CREATE TABLE asset (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	network INTEGER NOT NULL, 
	address BLOB NOT NULL, 
	state VARCHAR NOT NULL, 
	merged_into INTEGER, 
	anchor_network INTEGER NOT NULL, 
	anchor_kind VARCHAR NOT NULL, 
	anchor_value VARCHAR NOT NULL, 
	anchor_since_us BIGINT NOT NULL, 
	first_seen_us BIGINT NOT NULL, 
	last_seen_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (unit, anchor_network, anchor_kind, anchor_value, anchor_since_us)
);
CREATE TABLE asset_decision (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	one_kind VARCHAR NOT NULL, 
	one_value VARCHAR NOT NULL, 
	one_network INTEGER NOT NULL, 
	other_kind VARCHAR NOT NULL, 
	other_value VARCHAR NOT NULL, 
	other_network INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	undone_us BIGINT, 
	undone_by VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE asset_event (
	id INTEGER NOT NULL, 
	asset INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	detail VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (asset, kind, at_us, detail)
);
CREATE TABLE asset_proposal (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	one_kind VARCHAR NOT NULL, 
	one_value VARCHAR NOT NULL, 
	one_network INTEGER NOT NULL, 
	other_kind VARCHAR NOT NULL, 
	other_value VARCHAR NOT NULL, 
	other_network INTEGER NOT NULL, 
	why VARCHAR NOT NULL, 
	detail VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	first_us BIGINT NOT NULL, 
	decided_us BIGINT, 
	decided_by VARCHAR NOT NULL, 
	decision INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (unit, "key")
);
CREATE TABLE assignment (
	id INTEGER NOT NULL, 
	number VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	unit VARCHAR NOT NULL, 
	issuer VARCHAR NOT NULL, 
	assignee VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	due_us BIGINT, 
	state VARCHAR NOT NULL, 
	issued_us BIGINT NOT NULL, 
	received_us BIGINT, 
	replied_us BIGINT, 
	reviewed_us BIGINT, 
	ended_us BIGINT, 
	replies INTEGER NOT NULL, 
	escalations INTEGER NOT NULL, 
	escalated_to VARCHAR NOT NULL, 
	rectification INTEGER, 
	exercise VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (number), 
	UNIQUE (rectification)
);
CREATE TABLE assignment_event (
	id INTEGER NOT NULL, 
	assignment INTEGER NOT NULL, 
	act VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	recipient VARCHAR NOT NULL, 
	exercise VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE assignment_file (
	event INTEGER NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (event, sha256)
);
CREATE TABLE assignment_item (
	assignment INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	reference VARCHAR NOT NULL, 
	PRIMARY KEY (assignment, position)
);
CREATE TABLE attachment (
	id INTEGER NOT NULL, 
	space INTEGER NOT NULL, 
	mac VARCHAR NOT NULL, 
	device VARCHAR NOT NULL, 
	port VARCHAR NOT NULL, 
	vlan VARCHAR NOT NULL, 
	since_us BIGINT NOT NULL, 
	until_us BIGINT NOT NULL, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (space, mac, device, port, vlan, since_us)
);
CREATE TABLE attestation (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	system INTEGER NOT NULL, 
	question VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (unit, system, question)
);
CREATE TABLE attestation_event (
	id INTEGER NOT NULL, 
	attestation INTEGER NOT NULL, 
	act VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	words VARCHAR NOT NULL, 
	answer VARCHAR NOT NULL, 
	until_us BIGINT, 
	reviews INTEGER, 
	same_person BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE attestation_file (
	event INTEGER NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (event, sha256)
);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	object VARCHAR NOT NULL, 
	"before" VARCHAR NOT NULL, 
	"after" VARCHAR NOT NULL, 
	previous VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,1795826693657910,'tester','home.init','/tmp/tmp.O4iPBatT8c/home','','','0000000000000000000000000000000000000000000000000000000000000000','a9fee3091236dc62fce7de75f30efd3417c82f905e832947687ccb0303c57e92');
INSERT INTO "audit" VALUES(2,1795826693657910,'tester','unit.add','unit 4101000001','','{"name": "示例中学", "parent": ""}','a9fee3091236dc62fce7de75f30efd3417c82f905e832947687ccb0303c57e92','f0977f8b0ab22ce4cb1a267e1c9bea0644ccb092d481c95adc35e64b9cfc5163');
INSERT INTO "audit" VALUES(3,1795826694679739,'tester','network.add','network 4101000001/server-lan','','{"prefixes": ["10.1.0.0/24"], "scannable": true, "zone": "server"}','f0977f8b0ab22ce4cb1a267e1c9bea0644ccb092d481c95adc35e64b9cfc5163','a87260c93fa2fcf12900ab67cae9bfa8bb9efd429d1293b91281518c055d0ee4');
INSERT INTO "audit" VALUES(4,1795826695800689,'tester','scope.authorise','authorisation 1','','{"allow_loopback": false, "by": "信息中心", "document": "校网信〔2026〕1号", "excluded": [], "id": 1, "level": "service", "rate_pps": 100, "targets": ["10.1.0.0/24"], "unit": "4101000001", "valid_from": "2025-12-31T16:00:00Z", "valid_to": "2099-12-31T15:59:59.999999Z", "withdrawn_at": null}','a87260c93fa2fcf12900ab67cae9bfa8bb9efd429d1293b91281518c055d0ee4','2247afd8f951dde484b39c4896744c26ff256b9c7604d50abf19a8c2e15983e6');
INSERT INTO "audit" VALUES(5,1795826697000420,'tester','plan.set','unit 4101000001','','{"at": "02:30", "days": "daily", "enabled": true, "ports": ""}','2247afd8f951dde484b39c4896744c26ff256b9c7604d50abf19a8c2e15983e6','a21a55b6fea5299dec985bc6c6d39039d00915a1f2a31ed73cb6fcf83852e9f2');
INSERT INTO "audit" VALUES(6,1795826697769485,'tester','whitelist.add','whitelist 1','','{"addresses": ["10.1.0.6/32"], "approved_by": "信息中心", "document": "", "domain": "", "id": 1, "kind": "host", "ports": "", "proto": "", "reason": "教务系统", "service": "", "unit": "4101000001", "valid_from": null, "valid_to": null}','a21a55b6fea5299dec985bc6c6d39039d00915a1f2a31ed73cb6fcf83852e9f2','439fc313fea07c02ca12f942d5bb68bc0f263b54032e717ee76baf1d5481bb92');
INSERT INTO "audit" VALUES(7,1795826698560210,'tester','run.import','run 1 of unit 4101000001','','{"endpoints_open": 5, "events": 5, "evidence": "de666fdc247bac23122f18a69b9c79e6e006cecbf47439164b7e48c7adae86d3", "hosts_up": 3, "source": "first.xml"}','439fc313fea07c02ca12f942d5bb68bc0f263b54032e717ee76baf1d5481bb92','7c6e9ea43e5c6d007a418fc45a7b0093eb96148d7a72788d5d76068c729466cf');
INSERT INTO "audit" VALUES(8,1795826698793799,'tester','unit.check','unit 4101000001','','{"gone": 0, "live": 6, "opened": 6, "pack": "dedc5635901e68f7c302bad2a9d491f8bc7472085f56cb03575a6322692f7d17", "reopened": 0}','7c6e9ea43e5c6d007a418fc45a7b0093eb96148d7a72788d5d76068c729466cf','1396be96a8ca666e377b2350659b08157e35b677b0976bc0b90c71229af78102');
INSERT INTO "audit" VALUES(9,1795826699205487,'tester','run.import','run 2 of unit 4101000001','','{"endpoints_open": 4, "events": 1, "evidence": "2fff2d221150e431df51e2d60c150e6ca101455697f961c037f4c7aea11aa6cd", "hosts_up": 2, "source": "second.xml"}','1396be96a8ca666e377b2350659b08157e35b677b0976bc0b90c71229af78102','33506c4c23a72b63d0a11ff1a100de1ecca5b2196b22de73b3921c967ad6782d');
INSERT INTO "audit" VALUES(10,1795826699444536,'tester','unit.check','unit 4101000001','','{"gone": 0, "live": 6, "opened": 0, "pack": "dedc5635901e68f7c302bad2a9d491f8bc7472085f56cb03575a6322692f7d17", "reopened": 0}','33506c4c23a72b63d0a11ff1a100de1ecca5b2196b22de73b3921c967ad6782d','385380b31d6be46c0cb723228d63c22b89052eebe742f6acd47a289779eb9f04');
INSERT INTO "audit" VALUES(11,1795826700331943,'tester','finding.mark','finding 隐患-2026-00003','{"state": "open"}','{"state": "accepted", "until": "2099-12-31", "why": "计划更换"}','385380b31d6be46c0cb723228d63c22b89052eebe742f6acd47a289779eb9f04','39ec01573cd86a9ffebd3e156071484af5b6d7d250ccb07d406f0beb6fdb7931');
CREATE TABLE authorisation (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	targets VARCHAR NOT NULL, 
	excluded VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	document VARCHAR NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	valid_to_us BIGINT NOT NULL, 
	level VARCHAR NOT NULL, 
	allow_loopback BOOLEAN NOT NULL, 
	rate_pps INTEGER NOT NULL, 
	withdrawn_us BIGINT, 
	PRIMARY KEY (id)
);
INSERT INTO "authorisation" VALUES(1,'4101000001','["10.1.0.0/24"]','[]','信息中心','校网信〔2026〕1号',1767196800000000,4102415999999999,'service',0,100,NULL);
CREATE TABLE capture (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	evidence VARCHAR NOT NULL, 
	file VARCHAR NOT NULL, 
	analysed_us BIGINT NOT NULL, 
	first_packet_us BIGINT, 
	last_packet_us BIGINT, 
	flows INTEGER NOT NULL, 
	problem VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (unit, evidence)
);
CREATE TABLE certificate (
	sha256 VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	issuer VARCHAR NOT NULL, 
	names VARCHAR NOT NULL, 
	not_before_us BIGINT, 
	not_after_us BIGINT, 
	key_type VARCHAR NOT NULL, 
	key_bits INTEGER, 
	signature VARCHAR NOT NULL, 
	self_signed BOOLEAN, 
	PRIMARY KEY (sha256)
);
CREATE TABLE contact (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	sealed BLOB NOT NULL, 
	since_us BIGINT NOT NULL, 
	verified_us BIGINT NOT NULL, 
	ended_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE coverage (
	run INTEGER NOT NULL, 
	proto VARCHAR NOT NULL, 
	ports VARCHAR NOT NULL, 
	addresses BLOB NOT NULL, 
	PRIMARY KEY (run, proto)
);
INSERT INTO "coverage" VALUES(1,'tcp','1-1024',X'28B52FFD2025ED0000A8342061303130303035360A3420633030303032303302002C252D2B47');
INSERT INTO "coverage" VALUES(2,'tcp','1-1024',X'28B52FFD20118900003420613031303030352061303130303036');
CREATE TABLE endpoint_interval (
	id INTEGER NOT NULL, 
	host INTEGER NOT NULL, 
	vantage SMALLINT NOT NULL, 
	proto SMALLINT NOT NULL, 
	port INTEGER NOT NULL, 
	state SMALLINT NOT NULL, 
	look INTEGER NOT NULL, 
	in_scope BOOLEAN NOT NULL, 
	misses SMALLINT NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	valid_to_us BIGINT, 
	opened_by INTEGER NOT NULL, 
	closed_by INTEGER, 
	closed_why SMALLINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "endpoint_interval" VALUES(1,2,1,0,22,0,1,1,0,1790000060000000,NULL,1,NULL,0);
INSERT INTO "endpoint_interval" VALUES(2,2,1,0,6379,0,2,1,0,1790000060000000,NULL,1,NULL,0);
INSERT INTO "endpoint_interval" VALUES(3,3,1,0,80,0,3,1,0,1790000060000000,NULL,1,NULL,0);
INSERT INTO "endpoint_interval" VALUES(4,3,1,0,23,0,4,1,0,1790000060000000,NULL,1,NULL,0);
INSERT INTO "endpoint_interval" VALUES(5,1,1,0,3389,0,5,0,0,1790000060000000,NULL,1,NULL,0);
INSERT INTO "endpoint_interval" VALUES(6,3,1,0,443,0,6,1,0,1790086460000000,NULL,2,NULL,0);
CREATE TABLE evidence (
	sha256 VARCHAR NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	name VARCHAR NOT NULL, 
	format VARCHAR NOT NULL, 
	received_us BIGINT NOT NULL, pruned_us BIGINT, 
	PRIMARY KEY (sha256)
);
INSERT INTO "evidence" VALUES('de666fdc247bac23122f18a69b9c79e6e006cecbf47439164b7e48c7adae86d3',1476,'first.xml','nmap-xml',1795826698560210,NULL);
INSERT INTO "evidence" VALUES('2fff2d221150e431df51e2d60c150e6ca101455697f961c037f4c7aea11aa6cd',1203,'second.xml','nmap-xml',1795826699205487,NULL);
CREATE TABLE exit (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	prefixes VARCHAR NOT NULL, 
	withdrawn_us BIGINT, provider VARCHAR DEFAULT '' NOT NULL, line VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE finding (
	id INTEGER NOT NULL, 
	number VARCHAR NOT NULL, 
	unit VARCHAR NOT NULL, 
	rule VARCHAR NOT NULL, 
	network INTEGER NOT NULL, 
	subject VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	first_seen_us BIGINT NOT NULL, 
	last_seen_us BIGINT NOT NULL, 
	due_us BIGINT, 
	clauses VARCHAR NOT NULL, 
	evidence VARCHAR NOT NULL, 
	title_zh VARCHAR NOT NULL, 
	title_en VARCHAR NOT NULL, 
	remediation_zh VARCHAR NOT NULL, 
	remediation_en VARCHAR NOT NULL, 
	detail VARCHAR NOT NULL, 
	reopened INTEGER NOT NULL, 
	closed_us BIGINT, 
	why VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	until_us BIGINT, reference VARCHAR DEFAULT '' NOT NULL, subject_kind VARCHAR DEFAULT 'endpoint' NOT NULL, due_why VARCHAR DEFAULT '' NOT NULL, responsible VARCHAR DEFAULT '' NOT NULL, issuer VARCHAR DEFAULT '' NOT NULL, disclosure VARCHAR DEFAULT 'internal' NOT NULL, occurred_us BIGINT, discovered_us BIGINT, learned_us BIGINT, reported_us BIGINT, exercise VARCHAR, person BLOB, 
	PRIMARY KEY (id), 
	UNIQUE (number), 
	UNIQUE (unit, rule, network, subject)
);
INSERT INTO "finding" VALUES(1,'隐患-2026-00001','4101000001','exposure.rdp',1,'192.0.2.3:3389/tcp','own_scan','medium','open',1790000060000000,1790000060000000,1796431498793799,'["CE-04b"]','de666fdc247bac23122f18a69b9c79e6e006cecbf47439164b7e48c7adae86d3','远程桌面（RDP）在校内可达且未登记','Remote desktop (RDP) reachable inside and not listed','停用不需要的远程桌面；需要的登记白名单，限定管理网段并开启网络级别身份验证。','Turn off what is not needed; list the rest, limit it to the management network, require network level authentication.','service=ms-wbt-server guessed=False internet=False whitelist=none',0,NULL,'','',NULL,'','endpoint','rule exposure.rdp','','','internal',NULL,1790000060000000,1795826698793799,NULL,NULL,NULL);
INSERT INTO "finding" VALUES(2,'隐患-2026-00002','4101000001','exposure.redis',2,'10.1.0.5:6379/tcp','own_scan','medium','open',1790000060000000,1790000060000000,1796431498793799,'["CE-04b"]','de666fdc247bac23122f18a69b9c79e6e006cecbf47439164b7e48c7adae86d3','Redis 数据库端口在校内可达且未登记','Redis reachable inside and not listed','在主机或区域防火墙上只放行应用服务器地址；确需开放的登记白名单。','Let only the application servers through, on the host or the zone firewall; list what must stay open.','service=redis guessed=False internet=False whitelist=none',0,NULL,'','',NULL,'','endpoint','rule exposure.redis','','','internal',NULL,1790000060000000,1795826698793799,NULL,NULL,NULL);
INSERT INTO "finding" VALUES(3,'隐患-2026-00003','4101000001','exposure.telnet',2,'10.1.0.6:23/tcp','own_scan','high','accepted',1790000060000000,1790086460000000,1796085898793799,'["CN-02a", "CN-02b", "CE-01c", "CE-04b", "MC-04b"]','2fff2d221150e431df51e2d60c150e6ca101455697f961c037f4c7aea11aa6cd','Telnet 远程登录开放','Telnet login is open','停用 Telnet，改用 SSH；确有设备不支持时，仅允许管理网段访问并登记整改期限。','Turn Telnet off and use SSH; where a device cannot, limit it to the management network and register a date to replace it.','service=telnet guessed=False',0,NULL,'计划更换','tester',4102415999999999,'','endpoint','rule exposure.telnet','','','internal',NULL,1790000060000000,1795826698793799,NULL,NULL,NULL);
INSERT INTO "finding" VALUES(4,'隐患-2026-00004','4101000001','whitelist.unlisted-host',1,'192.0.2.3','own_scan','medium','open',1790000060000000,1790000060000000,1796431498793799,'["AB-01b", "MP-04b", "OM-02a"]','de666fdc247bac23122f18a69b9c79e6e006cecbf47439164b7e48c7adae86d3','主机未登记白名单','Host not on the whitelist','核实设备归属和用途；需要的补登记并审批，私接的断开。','Find its owner and use; register and approve it, or take it off the network.','whitelist=unlisted',0,NULL,'','',NULL,'','host','rule whitelist.unlisted-host','','','internal',NULL,1790000060000000,1795826698793799,NULL,NULL,NULL);
INSERT INTO "finding" VALUES(5,'隐患-2026-00005','4101000001','whitelist.unlisted-host',2,'10.1.0.5','own_scan','medium','open',1790000060000000,1790086460000000,1796431498793799,'["AB-01b", "MP-04b", "OM-02a"]','2fff2d221150e431df51e2d60c150e6ca101455697f961c037f4c7aea11aa6cd','主机未登记白名单','Host not on the whitelist','核实设备归属和用途；需要的补登记并审批，私接的断开。','Find its owner and use; register and approve it, or take it off the network.','whitelist=unlisted',0,NULL,'','',NULL,'','host','rule whitelist.unlisted-host','','','internal',NULL,1790000060000000,1795826698793799,NULL,NULL,NULL);
INSERT INTO "finding" VALUES(6,'隐患-2026-00006','4101000001','unit.scan-overdue',0,'4101000001','own_scan','medium','open',1795826698793799,1795826699444536,1796431498793799,'[]','','超过 30 天没有扫描','No scan for over 30 days','执行一次扫描或导入扫描结果，并设定扫描计划。','Run a scan or import one, and set a plan.','last_scan_days=66',0,NULL,'','',NULL,'','unit','rule unit.scan-overdue','','','internal',NULL,1795826698793799,1795826698793799,NULL,NULL,NULL);
CREATE TABLE finding_closing (
	id INTEGER NOT NULL, 
	finding INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	passed BOOLEAN NOT NULL, 
	at_us BIGINT NOT NULL, 
	"by" VARCHAR NOT NULL, 
	evidence VARCHAR NOT NULL, 
	document VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	exercise VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE finding_event (
	id INTEGER NOT NULL, 
	finding INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	"before" VARCHAR NOT NULL, 
	"after" VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, exercise VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "finding_event" VALUES(1,1,1795826698793799,'tester','','open','first seen',NULL);
INSERT INTO "finding_event" VALUES(2,2,1795826698793799,'tester','','open','first seen',NULL);
INSERT INTO "finding_event" VALUES(3,3,1795826698793799,'tester','','open','first seen',NULL);
INSERT INTO "finding_event" VALUES(4,4,1795826698793799,'tester','','open','first seen',NULL);
INSERT INTO "finding_event" VALUES(5,5,1795826698793799,'tester','','open','first seen',NULL);
INSERT INTO "finding_event" VALUES(6,6,1795826698793799,'tester','','open','first seen',NULL);
INSERT INTO "finding_event" VALUES(7,3,1795826700331943,'tester','open','accepted','计划更换',NULL);
CREATE TABLE finding_evidence (
	finding INTEGER NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (finding, sha256)
);
CREATE TABLE finding_notice (
	notice INTEGER NOT NULL, 
	finding INTEGER NOT NULL, 
	linked_us BIGINT NOT NULL, 
	PRIMARY KEY (notice, finding)
);
CREATE TABLE flow (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	evidence VARCHAR NOT NULL, 
	file VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	host_port INTEGER, 
	peer VARCHAR NOT NULL, 
	peer_port INTEGER, 
	family VARCHAR NOT NULL, 
	flow_class VARCHAR NOT NULL, 
	certainty FLOAT NOT NULL, 
	coin VARCHAR NOT NULL, 
	first_seen_us BIGINT, 
	last_seen_us BIGINT, 
	packets INTEGER NOT NULL, 
	payload_bytes BIGINT NOT NULL, 
	proof VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	agent VARCHAR NOT NULL, 
	wallet VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE holder (
	id INTEGER NOT NULL, 
	space INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	source VARCHAR NOT NULL, 
	mac VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	client_id VARCHAR NOT NULL, 
	device VARCHAR NOT NULL, 
	port VARCHAR NOT NULL, 
	vlan VARCHAR NOT NULL, 
	account INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (space, digest)
);
CREATE TABLE holding (
	id INTEGER NOT NULL, 
	network INTEGER NOT NULL, 
	address BLOB NOT NULL, 
	holder INTEGER NOT NULL, 
	told VARCHAR NOT NULL, 
	since_us BIGINT NOT NULL, 
	until_us BIGINT NOT NULL, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (holder, network, address, told, since_us)
);
CREATE TABLE host (
	id INTEGER NOT NULL, 
	network INTEGER NOT NULL, 
	address VARCHAR NOT NULL, 
	place BLOB NOT NULL, 
	mac VARCHAR NOT NULL, 
	vendor VARCHAR NOT NULL, 
	os VARCHAR NOT NULL, 
	in_scope BOOLEAN NOT NULL, 
	first_seen_us BIGINT, 
	last_seen_us BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (network, address)
);
INSERT INTO "host" VALUES(1,1,'192.0.2.3',X'04C0000203','','','',0,1790000060000000,1790000060000000);
INSERT INTO "host" VALUES(2,2,'10.1.0.5',X'040A010005','','','',1,1790000060000000,1790086460000000);
INSERT INTO "host" VALUES(3,2,'10.1.0.6',X'040A010006','','','',1,1790000060000000,1790086460000000);
CREATE TABLE hosting (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	party VARCHAR NOT NULL, 
	targets VARCHAR NOT NULL, 
	document VARCHAR NOT NULL, 
	valid_from_us BIGINT, 
	valid_to_us BIGINT, 
	created_us BIGINT NOT NULL, 
	withdrawn_us BIGINT, 
	ended_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE identifier (
	id INTEGER NOT NULL, 
	asset INTEGER NOT NULL, 
	network INTEGER NOT NULL, 
	address BLOB NOT NULL, 
	kind VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	weight VARCHAR NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	valid_to_us BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE identity_state (
	space INTEGER NOT NULL, 
	stale BOOLEAN NOT NULL, 
	PRIMARY KEY (space)
);
CREATE TABLE keep_out (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	prefixes VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	withdrawn_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE log_span (
	id INTEGER NOT NULL, 
	space INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	device VARCHAR NOT NULL, 
	subject BLOB NOT NULL, 
	since_us BIGINT NOT NULL, 
	until_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (run, kind, device, subject, since_us)
);
CREATE TABLE look (
	id INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	service VARCHAR NOT NULL, 
	guessed BOOLEAN NOT NULL, 
	product VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	tunnel VARCHAR NOT NULL, 
	certificate VARCHAR NOT NULL, 
	extra VARCHAR NOT NULL, 
	cpes VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (digest)
);
INSERT INTO "look" VALUES(1,X'618DFC38BDAFE5844315A467E1327E8F','ssh',0,'','','','','','','');
INSERT INTO "look" VALUES(2,X'7345E6F47C1165E9D8FF7C911A45D734','redis',0,'','','','','','','');
INSERT INTO "look" VALUES(3,X'7727DD548AAC2AD34E63CF5AB3078A18','http',0,'','','','','','','');
INSERT INTO "look" VALUES(4,X'67D97E4EA1837220E58F0BA81753904C','telnet',0,'','','','','','','');
INSERT INTO "look" VALUES(5,X'CE93839E02461332EF0DBE5E3D4EDE42','ms-wbt-server',0,'','','','','','','');
INSERT INTO "look" VALUES(6,X'487D3374F524B4CE66779EFDC2BF88B3','https',0,'','','','','','','');
CREATE TABLE mapping (
	unit VARCHAR NOT NULL, 
	purpose VARCHAR NOT NULL, 
	heads VARCHAR NOT NULL, 
	columns VARCHAR NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (unit, purpose, heads)
);
CREATE TABLE mark (
	id INTEGER NOT NULL, 
	network INTEGER NOT NULL, 
	address BLOB NOT NULL, 
	kind VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	since_us BIGINT NOT NULL, 
	until_us BIGINT NOT NULL, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (network, address, kind, value, source, since_us)
);
CREATE TABLE name (
	network INTEGER NOT NULL, 
	address VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	first_seen_us BIGINT NOT NULL, 
	last_seen_us BIGINT NOT NULL, 
	PRIMARY KEY (network, address, name)
);
INSERT INTO "name" VALUES(2,'10.1.0.5','db.school.example','host',1790000060000000,1790086460000000);
CREATE TABLE nat_pool (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	outside VARCHAR NOT NULL, 
	inside VARCHAR NOT NULL, 
	block_ports INTEGER, 
	since_us BIGINT NOT NULL, 
	withdrawn_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE network (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	zone VARCHAR NOT NULL, 
	prefixes VARCHAR NOT NULL, 
	scannable BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (unit, name)
);
INSERT INTO "network" VALUES(1,'4101000001','default','unknown','[]',1);
INSERT INTO "network" VALUES(2,'4101000001','server-lan','server','["10.1.0.0/24"]',1);
CREATE TABLE notice (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	number VARCHAR NOT NULL, 
	issuer VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	direction VARCHAR NOT NULL, 
	issued_us BIGINT, 
	received_us BIGINT, 
	due_us BIGINT, 
	evidence VARCHAR NOT NULL, 
	disclosure VARCHAR NOT NULL, 
	exercise VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (unit, direction, issuer, number)
);
CREATE TABLE order_item (
	"order" INTEGER NOT NULL, 
	finding INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY ("order", finding)
);
CREATE TABLE "plan" (
	unit VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	days VARCHAR NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	ports VARCHAR NOT NULL, 
	created_us BIGINT NOT NULL, 
	last_due_us BIGINT, 
	last_finished_us BIGINT, 
	last_result VARCHAR NOT NULL, 
	PRIMARY KEY (unit)
);
INSERT INTO "plan" VALUES('4101000001','02:30','daily',1,'',1795826697000420,NULL,NULL,'');
CREATE TABLE planned_offline (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	system INTEGER NOT NULL, 
	prefixes VARCHAR NOT NULL, 
	begin_us BIGINT NOT NULL, 
	end_us BIGINT NOT NULL, 
	reason VARCHAR NOT NULL, 
	withdrawn_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE prefix_owner (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	network VARCHAR NOT NULL, 
	prefix VARCHAR NOT NULL, 
	low BLOB NOT NULL, 
	high BLOB NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	valid_to_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE probe (
	id INTEGER NOT NULL, 
	network INTEGER NOT NULL, 
	vantage INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	place BLOB NOT NULL, 
	proto VARCHAR NOT NULL, 
	port INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	facts INTEGER NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	last_us BIGINT NOT NULL, 
	valid_to_us BIGINT, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE probe_facts (
	id INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	found VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (digest)
);
CREATE TABLE publication (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	outside BLOB NOT NULL, 
	proto VARCHAR NOT NULL, 
	first_port INTEGER NOT NULL, 
	last_port INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	inside BLOB NOT NULL, 
	inside_port INTEGER NOT NULL, 
	via VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	created_us BIGINT NOT NULL, 
	valid_from_us BIGINT, 
	valid_to_us BIGINT, 
	decided_us BIGINT, 
	decided_by VARCHAR NOT NULL, 
	why VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE rectification_order (
	id INTEGER NOT NULL, 
	number VARCHAR NOT NULL, 
	unit VARCHAR NOT NULL, 
	issuer VARCHAR NOT NULL, 
	assignee VARCHAR NOT NULL, 
	issued_us BIGINT NOT NULL, 
	due_us BIGINT NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (number)
);
CREATE TABLE register (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	source_sha256 VARCHAR NOT NULL, 
	sheet VARCHAR NOT NULL, 
	"row" INTEGER NOT NULL, 
	system VARCHAR NOT NULL, 
	addresses VARCHAR NOT NULL, 
	domains VARCHAR NOT NULL, 
	ports VARCHAR NOT NULL, 
	department VARCHAR NOT NULL, 
	person BLOB NOT NULL, 
	mlps_level VARCHAR NOT NULL, 
	filing VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	place VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	valid_from_us BIGINT, 
	valid_to_us BIGINT, 
	imported_us BIGINT NOT NULL, 
	withdrawn_us BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE run (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	scan VARCHAR NOT NULL, 
	evidence VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	format VARCHAR NOT NULL, 
	tool VARCHAR NOT NULL, 
	arguments VARCHAR NOT NULL, 
	vantage VARCHAR NOT NULL, 
	operator VARCHAR NOT NULL, 
	authorisation INTEGER, 
	time_us BIGINT NOT NULL, 
	time_quality VARCHAR NOT NULL, 
	arrived_us BIGINT NOT NULL, 
	hosts_up INTEGER NOT NULL, 
	endpoints_open INTEGER NOT NULL, 
	observations INTEGER NOT NULL, 
	events INTEGER NOT NULL, 
	lost VARCHAR NOT NULL, 
	held BOOLEAN NOT NULL, 
	confirmed BLOB NOT NULL, opened BLOB, closed BLOB, 
	PRIMARY KEY (id), 
	UNIQUE (unit, evidence)
);
INSERT INTO "run" VALUES(1,'4101000001','import','','de666fdc247bac23122f18a69b9c79e6e006cecbf47439164b7e48c7adae86d3','first.xml','nmap-xml','nmap 7.93','nmap -sV -oX - -p 1-1024 10.1.0.0/29','inside','tester',NULL,1790000060000000,'stated',1795826698560210,3,5,3,5,'',0,X'28B52FFD20021100000104',X'000104',NULL);
INSERT INTO "run" VALUES(2,'4101000001','import','','2fff2d221150e431df51e2d60c150e6ca101455697f961c037f4c7aea11aa6cd','second.xml','nmap-xml','nmap 7.93','nmap -sV -oX - -p 1-1024 10.1.0.0/29','inside','tester',NULL,1790086460000000,'stated',1795826699205487,2,4,2,1,'',0,X'28B52FFD2006310000010002010200',X'000600',NULL);
CREATE TABLE sighting_horizon (
	kind VARCHAR NOT NULL, 
	before_us BIGINT NOT NULL, 
	PRIMARY KEY (kind)
);
CREATE TABLE snapshot (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	from_us BIGINT NOT NULL, 
	to_us BIGINT NOT NULL, 
	version INTEGER NOT NULL, 
	pack VARCHAR NOT NULL, 
	frozen_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (unit, label, version)
);
CREATE TABLE snapshot_counter (
	snapshot INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	own BIGINT, 
	total BIGINT NOT NULL, 
	known INTEGER NOT NULL, 
	PRIMARY KEY (snapshot, unit, name)
)
 WITHOUT ROWID

;
CREATE TABLE system (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	folded VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	state_us BIGINT NOT NULL, 
	confirmed_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (unit, folded)
);
CREATE TABLE system_event (
	id INTEGER NOT NULL, 
	system INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	step VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE system_name (
	unit VARCHAR NOT NULL, 
	folded VARCHAR NOT NULL, 
	system INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (unit, folded)
);
CREATE TABLE system_version (
	id INTEGER NOT NULL, 
	system INTEGER NOT NULL, 
	from_us BIGINT NOT NULL, 
	facts VARCHAR NOT NULL, 
	persons BLOB NOT NULL, 
	source VARCHAR NOT NULL, 
	source_sha256 VARCHAR NOT NULL, 
	sheet VARCHAR NOT NULL, 
	"row" INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE translation (
	id INTEGER NOT NULL, 
	space INTEGER NOT NULL, 
	outside BLOB NOT NULL, 
	width INTEGER NOT NULL, 
	port_low INTEGER NOT NULL, 
	since_us BIGINT NOT NULL, 
	digest BIGINT NOT NULL, 
	until_us BIGINT, 
	proto VARCHAR NOT NULL, 
	network INTEGER NOT NULL, 
	inside BLOB NOT NULL, 
	inside_port INTEGER, 
	peer BLOB NOT NULL, 
	peer_port INTEGER, 
	device VARCHAR NOT NULL, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (space, outside, width, port_low, since_us, digest)
);
CREATE TABLE unit (
	code VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	level VARCHAR NOT NULL, 
	parent VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	region VARCHAR NOT NULL, 
	created_us BIGINT NOT NULL, credit VARCHAR DEFAULT '' NOT NULL, kind VARCHAR DEFAULT '' NOT NULL, affiliation VARCHAR DEFAULT '' NOT NULL, aliases VARCHAR DEFAULT '[]' NOT NULL, valid_from_us BIGINT, valid_to_us BIGINT, since_us BIGINT, 
	PRIMARY KEY (code)
);
INSERT INTO "unit" VALUES('4101000001','示例中学','school','','4101000001','',1795826693669093,'','','','[]',NULL,NULL,NULL);
CREATE TABLE unit_history (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	level VARCHAR NOT NULL, 
	parent VARCHAR NOT NULL, 
	region VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	affiliation VARCHAR NOT NULL, 
	since_us BIGINT, 
	until_us BIGINT, 
	why VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE vantage (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "vantage" VALUES(1,'inside');
CREATE TABLE "whitelist" (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	domain VARCHAR NOT NULL, 
	addresses VARCHAR NOT NULL, 
	proto VARCHAR NOT NULL, 
	ports VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	approved_by VARCHAR NOT NULL, 
	document VARCHAR NOT NULL, 
	valid_from_us BIGINT, 
	valid_to_us BIGINT, 
	withdrawn_us BIGINT, 
	action VARCHAR DEFAULT 'allow' NOT NULL, 
	direction VARCHAR DEFAULT 'in' NOT NULL, 
	peer VARCHAR DEFAULT 'any' NOT NULL, 
	peers VARCHAR DEFAULT '[]' NOT NULL, 
	below BOOLEAN DEFAULT 0 NOT NULL, 
	origin VARCHAR DEFAULT '' NOT NULL, 
	created_us BIGINT, 
	withdrawn_why VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "whitelist" VALUES(1,'4101000001','host','','["10.1.0.6/32"]','','','','教务系统','信息中心','',NULL,NULL,NULL,'allow','in','any','[]',0,'',NULL,'');
CREATE TABLE whitelist_draft (
	id INTEGER NOT NULL, 
	unit VARCHAR NOT NULL, 
	made_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE whitelist_draft_line (
	draft INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	mark VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	decision VARCHAR NOT NULL, 
	decided_us BIGINT, 
	entry INTEGER, 
	PRIMARY KEY (draft, line)
);
CREATE TABLE whitelist_request (
	id INTEGER NOT NULL, 
	number VARCHAR NOT NULL, 
	unit VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	department VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	addresses VARCHAR NOT NULL, 
	domains VARCHAR NOT NULL, 
	ports VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	peer VARCHAR NOT NULL, 
	peers VARCHAR NOT NULL, 
	purpose VARCHAR NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	valid_to_us BIGINT NOT NULL, 
	replaces VARCHAR NOT NULL, 
	made_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (number)
);
CREATE TABLE whitelist_request_event (
	id INTEGER NOT NULL, 
	request INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	step VARCHAR NOT NULL, 
	"before" VARCHAR NOT NULL, 
	"after" VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_authorisation_unit ON authorisation (unit);
CREATE INDEX ix_finding_state ON finding (state);
CREATE INDEX ix_finding_subject ON finding (unit, network, subject);
CREATE INDEX ix_finding_event_finding ON finding_event (finding);
CREATE INDEX ix_flow_unit ON flow (unit, last_seen_us);
CREATE INDEX ix_network_unit ON network (unit);
CREATE INDEX ix_run_unit_time ON run (unit, vantage, time_us);
CREATE INDEX ix_unit_path ON unit (path);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER finding_event_no_update BEFORE UPDATE ON finding_event BEGIN SELECT RAISE(ABORT, 'finding_event is append-only'); END;
CREATE TRIGGER finding_event_no_delete BEFORE DELETE ON finding_event BEGIN SELECT RAISE(ABORT, 'finding_event is append-only'); END;
CREATE INDEX ix_contact_unit ON contact (unit);
CREATE INDEX ix_exit_unit ON exit (unit);
CREATE INDEX ix_keep_out_unit ON keep_out (unit);
CREATE INDEX ix_order_item_finding ON order_item (finding);
CREATE INDEX ix_rectification_order_unit ON rectification_order (unit);
CREATE INDEX ix_register_unit ON register (unit);
CREATE INDEX ix_host_place ON host (network, place);
CREATE INDEX ix_endpoint_interval_host ON endpoint_interval (host);
CREATE VIEW endpoint AS SELECT
i.id, h.network, v.name AS vantage, h.address, CASE i.proto WHEN 0 THEN 'tcp' WHEN 1 THEN 'udp' WHEN 2 THEN 'sctp' ELSE '' END AS proto, i.port,
CASE i.state WHEN 0 THEN 'open' WHEN 1 THEN 'closed' WHEN 2 THEN 'unknown' ELSE '' END AS state, l.service, l.guessed, l.product, l.version, l.tunnel, l.certificate,
l.extra, l.cpes, l.title, i.in_scope, i.misses, i.valid_from_us, i.valid_to_us, i.opened_by, i.closed_by,
CASE i.closed_why WHEN 1 THEN 'reset' WHEN 2 THEN 'missed' WHEN 3 THEN 'changed' WHEN 4 THEN 'silent' WHEN 5 THEN 'seen' ELSE '' END AS closed_why, i.host
FROM host h JOIN endpoint_interval i ON i.host = h.id JOIN look l ON l.id = i.look
JOIN vantage v ON v.id = i.vantage;
CREATE INDEX ix_unit_history_unit ON unit_history (unit);
CREATE INDEX ix_prefix_owner_unit ON prefix_owner (unit);
CREATE INDEX ix_prefix_owner_span ON prefix_owner (high, low);
CREATE INDEX ix_nat_pool_unit ON nat_pool (unit);
CREATE INDEX ix_publication_unit_state ON publication (unit, state);
CREATE INDEX ix_hosting_unit ON hosting (unit);
CREATE INDEX ix_system_unit ON system (unit);
CREATE INDEX ix_system_version_system ON system_version (system);
CREATE INDEX ix_system_name_system ON system_name (system);
CREATE INDEX ix_system_event_system ON system_event (system);
CREATE INDEX ix_planned_offline_unit ON planned_offline (unit);
CREATE INDEX ix_whitelist_draft_unit ON whitelist_draft (unit);
CREATE INDEX ix_whitelist_request_unit ON whitelist_request (unit);
CREATE INDEX ix_whitelist_request_event_request ON whitelist_request_event (request);
CREATE INDEX ix_whitelist_unit ON whitelist (unit);
CREATE INDEX ix_holder_account ON holder (account);
CREATE INDEX ix_holder_mac ON holder (space, mac);
CREATE INDEX ix_holding_address ON holding (network, address, since_us);
CREATE INDEX ix_attachment_port ON attachment (space, device, port);
CREATE INDEX ix_log_span_kind ON log_span (space, kind, since_us);
CREATE INDEX ix_mark_value ON mark (kind, value);
CREATE INDEX ix_asset_unit ON asset (unit);
CREATE INDEX ix_identifier_address ON identifier (network, address, valid_from_us);
CREATE INDEX ix_identifier_asset ON identifier (asset);
CREATE INDEX ix_asset_decision_unit ON asset_decision (unit);
CREATE INDEX ix_finding_closing_finding ON finding_closing (finding);
CREATE INDEX ix_notice_number ON notice (number);
CREATE INDEX ix_finding_notice_finding ON finding_notice (finding);
CREATE INDEX ix_assignment_unit_state ON assignment (unit, state);
CREATE INDEX ix_assignment_event_assignment ON assignment_event (assignment);
CREATE INDEX ix_snapshot_counter_rank ON snapshot_counter (snapshot, name, total);
CREATE INDEX ix_probe_place ON probe (network, place, port, kind);
CREATE INDEX ix_attestation_event_attestation ON attestation_event (attestation);
CREATE TRIGGER attestation_event_no_update BEFORE UPDATE ON attestation_event BEGIN SELECT RAISE(ABORT, 'attestation_event is append-only'); END;
CREATE TRIGGER attestation_event_no_delete BEFORE DELETE ON attestation_event BEGIN SELECT RAISE(ABORT, 'attestation_event is append-only'); END;
CREATE TRIGGER attestation_file_no_update BEFORE UPDATE ON attestation_file BEGIN SELECT RAISE(ABORT, 'attestation_file is append-only'); END;
CREATE TRIGGER attestation_file_no_delete BEFORE DELETE ON attestation_file BEGIN SELECT RAISE(ABORT, 'attestation_file is append-only'); END;
COMMIT;

BEGIN TRANSACTION;
CREATE TABLE ad_code_request (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, request_id TEXT NOT NULL, status TEXT NOT NULL,
                platform TEXT NOT NULL, code TEXT, note TEXT, created_at TEXT, submitted_at TEXT, delivered_at TEXT,
                origin TEXT NOT NULL, credits_charged INTEGER, credits_left INTEGER, seen_at TEXT NOT NULL,
                found_at TEXT NOT NULL, PRIMARY KEY (tracker, video_id, request_id));
INSERT INTO "ad_code_request" VALUES('acme','vid-adopted','abd079b5-0580-44ad-abdf-5c40f1209c65','finalized','tiktok','#VnZMVOrmg+zZMB3rK/PcGh4tiXxYjMf/iFbdjL/oatVMshsAsP7a/PJ3c5F6Z72bw=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','adopted open',NULL,NULL,'2026-06-16T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-running','bbf47593-dd2b-4aa0-a677-925da24fb1c0','finalized','tiktok','#N+yRbLJuI+nJNb5udAu0dPB/rI+5JZI/kR2yyk6AJ2CUS1ZmUIj0ObgW6n7SR6EVM=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','ordered',7,1233,'2026-06-16T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-renewing','e61f6846-82e5-400a-ac7e-41449da5cf24','finalized','tiktok','#ToKq2qsfB+2GfWcaW/5cXvA3JyorIlV/KvwRaB3TB6+1ER+wA2l5U1DOmQKggoO4k=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','ordered',7,1226,'2026-06-26T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-renewed','13135a6e-974c-4de2-a43b-48cf0f58d800','finalized','tiktok','#+wr/JEOg3+ZPpwOjfJbkS2xTAEw1WZC/o8BsIX79t95/Kx5GzZjPHeOzN5Rf0kGC8=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','ordered',7,1219,'2026-06-26T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-refused-renewal','e1f203fe-4c9f-4f29-a3fb-1bf89260c0cd','finalized','tiktok','#iQlScKMwG+xVWZBMggwrcoOKaZcKSyX/5QrCsRfggDvNHP7/8rHENT/0rC+jcWHI4=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','ordered',7,1212,'2026-06-26T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-cancelled','afabe435-71d0-41ea-a058-ebe15db85e2c','cancelled','tiktok',NULL,NULL,'2026-06-16T10:22:00.000000+00:00',NULL,NULL,'ordered',7,1205,'2026-06-16T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-dated','f0f01957-ea60-4a06-aa8d-21ec12faf2c8','finalized','tiktok','#yk3ttykIv+HiW90YsonVMdStozeyPUo/jmcUDCnf/xnQmVJSA+eGVQGduH0wB6Jlc=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','ordered',7,1198,'2026-06-16T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-retired','9b48c95f-dd23-4e5e-a68e-59972d06100d','finalized','tiktok','#v4rbmkwyq+KBbEhRW1M0R7XnwKFe9iD/NA++jwYEMa8/JC+lWFQzD1Cld1LmQuKbs=',NULL,'2026-06-16T10:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','2026-06-16T11:22:00.000000+00:00','ordered',7,1191,'2026-06-16T16:22:00.000000+00:00','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-renewing','4c63d9a6-899f-4b6c-a485-794060f8b9b8','pending','tiktok',NULL,NULL,'2026-06-26T16:22:00.000000+00:00',NULL,NULL,'ordered',7,1191,'2026-06-26T19:22:00.000000+00:00','2026-06-26T16:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-renewed','d64f03c4-4f39-423b-ad2d-90556e86a82e','finalized','tiktok','#Fb7ckQ9Z7+2Qfe2jQKbZuIBhopneV/k/ZSpGgt+Q9i7bXG/00NoRzMv6FL5Jy5YPw=',NULL,'2026-06-26T16:22:00.000000+00:00','2026-06-26T18:22:00.000000+00:00','2026-06-26T18:22:00.000000+00:00','ordered',7,1184,'2026-06-26T18:22:00.000000+00:00','2026-06-26T16:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-refused-renewal','c72bc7f2-8944-407d-a088-256c0bbf5d45','cancelled','tiktok',NULL,NULL,'2026-06-26T16:22:00.000000+00:00',NULL,NULL,'ordered',7,1177,'2026-06-26T18:22:00.000000+00:00','2026-06-26T16:22:00.000000+00:00');
INSERT INTO "ad_code_request" VALUES('acme','vid-pending','931f0a59-a81c-4bed-acc5-ba50f1f0541d','pending','tiktok',NULL,NULL,'2026-06-26T18:22:00.000000+00:00',NULL,NULL,'ordered',7,1177,'2026-06-26T19:22:00.000000+00:00','2026-06-26T18:22:00.000000+00:00');
CREATE TABLE balance (tracker TEXT PRIMARY KEY, credits INTEGER NOT NULL, told_at TEXT NOT NULL);
INSERT INTO "balance" VALUES('acme',1177,'2026-06-26T18:22:00.000000+00:00');
CREATE TABLE column_seen (
                tracker TEXT NOT NULL, column_key TEXT NOT NULL, seen_at TEXT NOT NULL,
                PRIMARY KEY (tracker, column_key));
INSERT INTO "column_seen" VALUES('acme','authorization_days','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','delivered_at','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','expires_at','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','updated_at','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','requested_at','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','feedback','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','submitted_at','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','video_id','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','credits_left','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','note','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','client','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','request_id','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','paid_status','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','renewal_decision','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','action','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','status','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','sync_note','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','known_expiry','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','expiry','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','stage','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','credits_charged','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','missing','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','platform','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','video_url','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','creator','2026-06-16T10:22:00.000000+00:00');
INSERT INTO "column_seen" VALUES('acme','spark_code','2026-06-16T10:22:00.000000+00:00');
CREATE TABLE correction (
                tracker TEXT NOT NULL, request_id TEXT NOT NULL, code TEXT NOT NULL, sent_at TEXT NOT NULL,
                PRIMARY KEY (tracker, request_id));
CREATE TABLE event (
                id INTEGER PRIMARY KEY, at TEXT NOT NULL, tracker TEXT NOT NULL, video_id TEXT NOT NULL,
                run_id TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
INSERT INTO "event" VALUES(1,'2026-06-16T10:22:00.000000+00:00','acme','vid-adopted','run-1','found','{"request_id": "abd079b5-0580-44ad-abdf-5c40f1209c65", "status": "pending"}');
INSERT INTO "event" VALUES(2,'2026-06-16T10:22:00.000000+00:00','acme','vid-adopted','run-1','adopted','{"request_id": "abd079b5-0580-44ad-abdf-5c40f1209c65", "origin": "adopted open"}');
INSERT INTO "event" VALUES(3,'2026-06-16T10:22:00.000000+00:00','acme','vid-running','run-1','intent','{"intent": 1, "mark": "request", "previous_id": null, "idempotency_key": "a83f3da40d7c4d83b61565f08b8efd38"}');
INSERT INTO "event" VALUES(4,'2026-06-16T10:22:00.000000+00:00','acme','vid-running','run-1','ordered','{"intent": 1, "request_id": "bbf47593-dd2b-4aa0-a677-925da24fb1c0", "mark": "request", "credits_charged": 7, "credits_left": 1233}');
INSERT INTO "event" VALUES(5,'2026-06-16T10:22:00.000000+00:00','acme','vid-renewing','run-1','intent','{"intent": 2, "mark": "request", "previous_id": null, "idempotency_key": "6d18e83e0ebb439b9fc3ad228bb72069"}');
INSERT INTO "event" VALUES(6,'2026-06-16T10:22:00.000000+00:00','acme','vid-renewing','run-1','ordered','{"intent": 2, "request_id": "e61f6846-82e5-400a-ac7e-41449da5cf24", "mark": "request", "credits_charged": 7, "credits_left": 1226}');
INSERT INTO "event" VALUES(7,'2026-06-16T10:22:00.000000+00:00','acme','vid-renewed','run-1','intent','{"intent": 3, "mark": "request", "previous_id": null, "idempotency_key": "db67c03c6e5c41e4ad37709f1d10418c"}');
INSERT INTO "event" VALUES(8,'2026-06-16T10:22:00.000000+00:00','acme','vid-renewed','run-1','ordered','{"intent": 3, "request_id": "13135a6e-974c-4de2-a43b-48cf0f58d800", "mark": "request", "credits_charged": 7, "credits_left": 1219}');
INSERT INTO "event" VALUES(9,'2026-06-16T10:22:00.000000+00:00','acme','vid-refused-renewal','run-1','intent','{"intent": 4, "mark": "request", "previous_id": null, "idempotency_key": "865919851b2740b587cca4a87d952116"}');
INSERT INTO "event" VALUES(10,'2026-06-16T10:22:00.000000+00:00','acme','vid-refused-renewal','run-1','ordered','{"intent": 4, "request_id": "e1f203fe-4c9f-4f29-a3fb-1bf89260c0cd", "mark": "request", "credits_charged": 7, "credits_left": 1212}');
INSERT INTO "event" VALUES(11,'2026-06-16T10:22:00.000000+00:00','acme','vid-cancelled','run-1','intent','{"intent": 5, "mark": "request", "previous_id": null, "idempotency_key": "6fadd9510fe343bc8ea8293c100d3ef2"}');
INSERT INTO "event" VALUES(12,'2026-06-16T10:22:00.000000+00:00','acme','vid-cancelled','run-1','ordered','{"intent": 5, "request_id": "afabe435-71d0-41ea-a058-ebe15db85e2c", "mark": "request", "credits_charged": 7, "credits_left": 1205}');
INSERT INTO "event" VALUES(13,'2026-06-16T10:22:00.000000+00:00','acme','vid-dated','run-1','intent','{"intent": 6, "mark": "request", "previous_id": null, "idempotency_key": "d2be8388249c449d96ce22c2278bbec5"}');
INSERT INTO "event" VALUES(14,'2026-06-16T10:22:00.000000+00:00','acme','vid-dated','run-1','ordered','{"intent": 6, "request_id": "f0f01957-ea60-4a06-aa8d-21ec12faf2c8", "mark": "request", "credits_charged": 7, "credits_left": 1198}');
INSERT INTO "event" VALUES(15,'2026-06-16T10:22:00.000000+00:00','acme','vid-retired','run-1','intent','{"intent": 7, "mark": "request", "previous_id": null, "idempotency_key": "b8f48ac13cec455980b99e61164beb41"}');
INSERT INTO "event" VALUES(16,'2026-06-16T10:22:00.000000+00:00','acme','vid-retired','run-1','ordered','{"intent": 7, "request_id": "9b48c95f-dd23-4e5e-a68e-59972d06100d", "mark": "request", "credits_charged": 7, "credits_left": 1191}');
INSERT INTO "event" VALUES(17,'2026-06-16T16:22:00.000000+00:00','acme','vid-adopted','run-3','status','{"request_id": "abd079b5-0580-44ad-abdf-5c40f1209c65", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(18,'2026-06-16T16:22:00.000000+00:00','acme','vid-adopted','run-3','code','{"request_id": "abd079b5-0580-44ad-abdf-5c40f1209c65", "code": "#VnZMVOrmg+zZMB3rK/PcGh4tiXxYjMf/iFbdjL/oatVMshsAsP7a/PJ3c5F6Z72bw="}');
INSERT INTO "event" VALUES(19,'2026-06-16T16:22:00.000000+00:00','acme','vid-cancelled','run-3','status','{"request_id": "afabe435-71d0-41ea-a058-ebe15db85e2c", "from": "pending", "to": "cancelled"}');
INSERT INTO "event" VALUES(20,'2026-06-16T16:22:00.000000+00:00','acme','vid-dated','run-3','status','{"request_id": "f0f01957-ea60-4a06-aa8d-21ec12faf2c8", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(21,'2026-06-16T16:22:00.000000+00:00','acme','vid-dated','run-3','code','{"request_id": "f0f01957-ea60-4a06-aa8d-21ec12faf2c8", "code": "#yk3ttykIv+HiW90YsonVMdStozeyPUo/jmcUDCnf/xnQmVJSA+eGVQGduH0wB6Jlc="}');
INSERT INTO "event" VALUES(22,'2026-06-16T16:22:00.000000+00:00','acme','vid-refused-renewal','run-3','status','{"request_id": "e1f203fe-4c9f-4f29-a3fb-1bf89260c0cd", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(23,'2026-06-16T16:22:00.000000+00:00','acme','vid-refused-renewal','run-3','code','{"request_id": "e1f203fe-4c9f-4f29-a3fb-1bf89260c0cd", "code": "#iQlScKMwG+xVWZBMggwrcoOKaZcKSyX/5QrCsRfggDvNHP7/8rHENT/0rC+jcWHI4="}');
INSERT INTO "event" VALUES(24,'2026-06-16T16:22:00.000000+00:00','acme','vid-renewed','run-3','status','{"request_id": "13135a6e-974c-4de2-a43b-48cf0f58d800", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(25,'2026-06-16T16:22:00.000000+00:00','acme','vid-renewed','run-3','code','{"request_id": "13135a6e-974c-4de2-a43b-48cf0f58d800", "code": "#+wr/JEOg3+ZPpwOjfJbkS2xTAEw1WZC/o8BsIX79t95/Kx5GzZjPHeOzN5Rf0kGC8="}');
INSERT INTO "event" VALUES(26,'2026-06-16T16:22:00.000000+00:00','acme','vid-renewing','run-3','status','{"request_id": "e61f6846-82e5-400a-ac7e-41449da5cf24", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(27,'2026-06-16T16:22:00.000000+00:00','acme','vid-renewing','run-3','code','{"request_id": "e61f6846-82e5-400a-ac7e-41449da5cf24", "code": "#ToKq2qsfB+2GfWcaW/5cXvA3JyorIlV/KvwRaB3TB6+1ER+wA2l5U1DOmQKggoO4k="}');
INSERT INTO "event" VALUES(28,'2026-06-16T16:22:00.000000+00:00','acme','vid-retired','run-3','status','{"request_id": "9b48c95f-dd23-4e5e-a68e-59972d06100d", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(29,'2026-06-16T16:22:00.000000+00:00','acme','vid-retired','run-3','code','{"request_id": "9b48c95f-dd23-4e5e-a68e-59972d06100d", "code": "#v4rbmkwyq+KBbEhRW1M0R7XnwKFe9iD/NA++jwYEMa8/JC+lWFQzD1Cld1LmQuKbs="}');
INSERT INTO "event" VALUES(30,'2026-06-16T16:22:00.000000+00:00','acme','vid-running','run-3','status','{"request_id": "bbf47593-dd2b-4aa0-a677-925da24fb1c0", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(31,'2026-06-16T16:22:00.000000+00:00','acme','vid-running','run-3','code','{"request_id": "bbf47593-dd2b-4aa0-a677-925da24fb1c0", "code": "#N+yRbLJuI+nJNb5udAu0dPB/rI+5JZI/kR2yyk6AJ2CUS1ZmUIj0ObgW6n7SR6EVM="}');
INSERT INTO "event" VALUES(32,'2026-06-26T16:22:00.000000+00:00','acme','vid-renewing','run-5','intent','{"intent": 8, "mark": "renew", "previous_id": "e61f6846-82e5-400a-ac7e-41449da5cf24", "idempotency_key": "d2ec9103a026481cb3d4b8ae8e567886"}');
INSERT INTO "event" VALUES(33,'2026-06-26T16:22:00.000000+00:00','acme','vid-renewing','run-5','ordered','{"intent": 8, "request_id": "4c63d9a6-899f-4b6c-a485-794060f8b9b8", "mark": "renew", "credits_charged": 7, "credits_left": 1191}');
INSERT INTO "event" VALUES(34,'2026-06-26T16:22:00.000000+00:00','acme','vid-renewed','run-5','intent','{"intent": 9, "mark": "renew", "previous_id": "13135a6e-974c-4de2-a43b-48cf0f58d800", "idempotency_key": "59f9725883674d2d87045e831b75d1d5"}');
INSERT INTO "event" VALUES(35,'2026-06-26T16:22:00.000000+00:00','acme','vid-renewed','run-5','ordered','{"intent": 9, "request_id": "d64f03c4-4f39-423b-ad2d-90556e86a82e", "mark": "renew", "credits_charged": 7, "credits_left": 1184}');
INSERT INTO "event" VALUES(36,'2026-06-26T16:22:00.000000+00:00','acme','vid-refused-renewal','run-5','intent','{"intent": 10, "mark": "renew", "previous_id": "e1f203fe-4c9f-4f29-a3fb-1bf89260c0cd", "idempotency_key": "53819ee89acc40cb9271124da6f46d7f"}');
INSERT INTO "event" VALUES(37,'2026-06-26T16:22:00.000000+00:00','acme','vid-refused-renewal','run-5','ordered','{"intent": 10, "request_id": "c72bc7f2-8944-407d-a088-256c0bbf5d45", "mark": "renew", "credits_charged": 7, "credits_left": 1177}');
INSERT INTO "event" VALUES(38,'2026-06-26T18:22:00.000000+00:00','acme','vid-refused-renewal','run-6','status','{"request_id": "c72bc7f2-8944-407d-a088-256c0bbf5d45", "from": "pending", "to": "cancelled"}');
INSERT INTO "event" VALUES(39,'2026-06-26T18:22:00.000000+00:00','acme','vid-renewed','run-6','status','{"request_id": "d64f03c4-4f39-423b-ad2d-90556e86a82e", "from": "pending", "to": "finalized"}');
INSERT INTO "event" VALUES(40,'2026-06-26T18:22:00.000000+00:00','acme','vid-renewed','run-6','code','{"request_id": "d64f03c4-4f39-423b-ad2d-90556e86a82e", "code": "#Fb7ckQ9Z7+2Qfe2jQKbZuIBhopneV/k/ZSpGgt+Q9i7bXG/00NoRzMv6FL5Jy5YPw="}');
INSERT INTO "event" VALUES(41,'2026-06-26T18:22:00.000000+00:00','acme','vid-pending','run-6','intent','{"intent": 11, "mark": "request", "previous_id": null, "idempotency_key": "fde09f786dcc403283fd70c0a49a9d66"}');
INSERT INTO "event" VALUES(42,'2026-06-26T18:22:00.000000+00:00','acme','vid-pending','run-6','ordered','{"intent": 11, "request_id": "931f0a59-a81c-4bed-acc5-ba50f1f0541d", "mark": "request", "credits_charged": 7, "credits_left": 1177}');
CREATE TABLE intent (
                id INTEGER PRIMARY KEY, tracker TEXT NOT NULL, video_id TEXT NOT NULL, mark TEXT NOT NULL,
                previous_id TEXT, idempotency_key TEXT NOT NULL UNIQUE, body TEXT NOT NULL, run_id TEXT NOT NULL,
                created_at TEXT NOT NULL, state TEXT NOT NULL);
INSERT INTO "intent" VALUES(1,'acme','vid-running','request',NULL,'a83f3da40d7c4d83b61565f08b8efd38','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(2,'acme','vid-renewing','request',NULL,'6d18e83e0ebb439b9fc3ad228bb72069','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(3,'acme','vid-renewed','request',NULL,'db67c03c6e5c41e4ad37709f1d10418c','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(4,'acme','vid-refused-renewal','request',NULL,'865919851b2740b587cca4a87d952116','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(5,'acme','vid-cancelled','request',NULL,'6fadd9510fe343bc8ea8293c100d3ef2','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(6,'acme','vid-dated','request',NULL,'d2be8388249c449d96ce22c2278bbec5','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(7,'acme','vid-retired','request',NULL,'b8f48ac13cec455980b99e61164beb41','{}','run-1','2026-06-16T10:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(8,'acme','vid-renewing','renew','e61f6846-82e5-400a-ac7e-41449da5cf24','d2ec9103a026481cb3d4b8ae8e567886','{}','run-5','2026-06-26T16:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(9,'acme','vid-renewed','renew','13135a6e-974c-4de2-a43b-48cf0f58d800','59f9725883674d2d87045e831b75d1d5','{}','run-5','2026-06-26T16:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(10,'acme','vid-refused-renewal','renew','e1f203fe-4c9f-4f29-a3fb-1bf89260c0cd','53819ee89acc40cb9271124da6f46d7f','{}','run-5','2026-06-26T16:22:00.000000+00:00','accepted');
INSERT INTO "intent" VALUES(11,'acme','vid-pending','request',NULL,'fde09f786dcc403283fd70c0a49a9d66','{}','run-6','2026-06-26T18:22:00.000000+00:00','accepted');
CREATE TABLE latest (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, request_id TEXT NOT NULL,
                released INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (tracker, video_id));
INSERT INTO "latest" VALUES('acme','vid-adopted','abd079b5-0580-44ad-abdf-5c40f1209c65',0);
INSERT INTO "latest" VALUES('acme','vid-running','bbf47593-dd2b-4aa0-a677-925da24fb1c0',0);
INSERT INTO "latest" VALUES('acme','vid-renewing','4c63d9a6-899f-4b6c-a485-794060f8b9b8',0);
INSERT INTO "latest" VALUES('acme','vid-renewed','d64f03c4-4f39-423b-ad2d-90556e86a82e',0);
INSERT INTO "latest" VALUES('acme','vid-refused-renewal','c72bc7f2-8944-407d-a088-256c0bbf5d45',0);
INSERT INTO "latest" VALUES('acme','vid-cancelled','afabe435-71d0-41ea-a058-ebe15db85e2c',0);
INSERT INTO "latest" VALUES('acme','vid-dated','f0f01957-ea60-4a06-aa8d-21ec12faf2c8',0);
INSERT INTO "latest" VALUES('acme','vid-retired','9b48c95f-dd23-4e5e-a68e-59972d06100d',0);
INSERT INTO "latest" VALUES('acme','vid-pending','931f0a59-a81c-4bed-acc5-ba50f1f0541d',0);
CREATE TABLE look (tracker TEXT, video_id TEXT, at TEXT NOT NULL, PRIMARY KEY (tracker, video_id));
INSERT INTO "look" VALUES('acme','vid-running','2026-06-16T16:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-renewing','2026-06-26T19:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-renewed','2026-06-26T18:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-refused-renewal','2026-06-26T18:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-cancelled','2026-06-16T16:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-adopted','2026-06-16T16:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-dated','2026-06-16T16:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-retired','2026-06-16T16:22:00.000000+00:00');
INSERT INTO "look" VALUES('acme','vid-pending','2026-06-26T19:22:00.000000+00:00');
CREATE TABLE pending_write (tracker TEXT PRIMARY KEY, payload TEXT NOT NULL, begun_at TEXT NOT NULL);
CREATE TABLE price (
                api_key TEXT PRIMARY KEY, credits INTEGER NOT NULL, is_accepted INTEGER NOT NULL, lock TEXT NOT NULL,
                told_at TEXT NOT NULL);
CREATE TABLE refusal (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, mark TEXT NOT NULL, http_status INTEGER NOT NULL,
                text TEXT NOT NULL, attempts INTEGER NOT NULL, retry_at TEXT NOT NULL,
                PRIMARY KEY (tracker, video_id));
CREATE TABLE run (
                tracker TEXT NOT NULL, started_at TEXT NOT NULL, run_id TEXT NOT NULL, finished_at TEXT NOT NULL,
                exit_code INTEGER NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (tracker, started_at, run_id));
INSERT INTO "run" VALUES('acme','2026-06-16T10:22:00.000000+00:00','run-1','2026-06-16T10:22:00.000000+00:00',0,'');
INSERT INTO "run" VALUES('acme','2026-06-16T11:22:00.000000+00:00','run-2','2026-06-16T11:22:00.000000+00:00',0,'');
INSERT INTO "run" VALUES('acme','2026-06-16T16:22:00.000000+00:00','run-3','2026-06-16T16:22:00.000000+00:00',0,'');
INSERT INTO "run" VALUES('acme','2026-06-26T16:22:00.000000+00:00','run-4','2026-06-26T16:22:00.000000+00:00',0,'');
INSERT INTO "run" VALUES('acme','2026-06-26T16:22:00.000000+00:00','run-5','2026-06-26T16:22:00.000000+00:00',0,'');
INSERT INTO "run" VALUES('acme','2026-06-26T18:22:00.000000+00:00','run-6','2026-06-26T18:22:00.000000+00:00',0,'');
INSERT INTO "run" VALUES('acme','2026-06-26T19:22:00.000000+00:00','run-7','2026-06-26T19:22:00.000000+00:00',0,'');
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO "schema_version" VALUES(1,'first tables');
INSERT INTO "schema_version" VALUES(2,'looks, columns seen, marks served, and the price of each API key');
CREATE TABLE served (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, mark TEXT NOT NULL, request_id TEXT NOT NULL,
                PRIMARY KEY (tracker, video_id));
CREATE UNIQUE INDEX intent_unsettled ON intent (tracker, video_id)
                WHERE state IN ('sending', 'uncertain');
CREATE INDEX event_video ON event (video_id, tracker);
COMMIT;

"""A valid rule, catalogue file and case list for tests to vary."""

from __future__ import annotations

RULE = """\
title: Redis 无需口令即可读写
title_en: Redis answers without a password
id: 6d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5b
name: demo.redis
level: critical
due_days: 1
tags:
  - mlps.ce-04b
  - high-risk.6.4.3.1
logsource:
  product: sentinel
  category: service
detection:
  selection:
    service: redis
    guessed: false
  condition: selection
remediation: 设置口令。
remediation_en: Set a password.
cases:
  fires: {service: redis, guessed: false}
  quiet: {service: redis, guessed: true}
"""

CONTROLS = """\
catalogues:
  - {id: demo-l2, title: 二级, title_en: Level 2, source: demo, level: 2, tag: mlps}
  - {id: demo-l3, title: 三级, title_en: Level 3, source: demo, level: 3, tag: mlps, inherits: demo-l2}
domains:
  - title: 安全计算环境
    controls:
      - title: 入侵防范
        clauses:
          - id: CE-04b
            number: {demo-l2: 7.1.4.4 b), demo-l3: 8.1.4.4 b)}
            title: 关闭高危端口
            title_en: High-risk ports closed
            check: auto
            refuted_by: [demo.redis]
            proof:
              - {kind: port-scan, max_age_days: 8, coverage: 0.9}
              - {kind: whitelist, max_age_days: 365}
            weight: 3
            note: 仅指探测范围
            verified: false
          - id: CE-09x
            number: {demo-l3: 8.1.4.9 x)}
            title: 只有三级
            title_en: Level 3 only
            check: manual
            attested_by: backup.local
"""

HIGH_RISK = """\
catalogues:
  - {id: high-risk, title: 高风险, title_en: High risk, source: demo, level: 0, tagged: true, assumed_level: 3}
domains:
  - title: 安全计算环境
    controls:
      - title: 高风险情形
        clauses:
          - id: 6.4.3.1
            number: {high-risk: "6.4.3.1"}
            title: 高危端口
            title_en: High-risk ports
            check: auto
            min_level: 2
"""

QUESTIONS = """\
questions:
  - {id: backup.local, zh: 有本地备份吗？, en: Is there a backup?, evidence: 备份记录, valid_days: 365, scope: system}
"""

# sentinel: `make demo` shows it, `make test` proves it. See README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3

# Coverage more than doubles the time of what it watches, so it watches only where there is a floor: the pure stages, by
# their own tests. A stage that is missing here is below its floor.
PURE := observe traffic inventory assess respond report

.DEFAULT_GOAL := help
.PHONY: help system venv demo test check bench pictures bundle clean lock

help:  ## 列出各目标 / list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 12

system:  ## 检查系统软件包，root 时自动安装 / check the system packages; installs them as root
	@sh scripts/system.sh demo

venv: $(VENV)/.done  ## 建立 .venv，按锁定版本安装全部依赖 / make .venv with everything, at the locked versions

$(VENV)/.done: requirements.lock pyproject.toml scripts/venv.sh
	@PYTHON="$(PYTHON)" sh scripts/venv.sh $(VENV)
	@touch $@

demo: system venv  ## 演示：不需 root，三分钟以内 / the demonstration: no root, under three minutes
	@$(BIN)/sentinel demo --out demo

test:  ## 全部测试（需要 nmap、Chromium、中文字体） / all tests (nmap, Chromium, CJK fonts)
	@sh scripts/system.sh test
	@$(MAKE) --no-print-directory venv
	@$(BIN)/python -m pytest -n $(WORKERS) $(PURE:%=tests/%) --cov --cov-report=
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PURE:%=--ignore tests/%) --ignore tests/schedule/demo
	@$(BIN)/python -m pytest -n 3 --dist loadgroup tests/schedule/demo
	@$(BIN)/python scripts/coverage_floor.py
	@$(MAKE) --no-print-directory check

check: venv  ## 静态检查 / ruff, mypy, rules
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/sentinel rules check

bench: venv  ## 性能对比 / benchmarks against peers in the same rounds
	@for one in bench/*.py; do echo "== $$one"; $(BIN)/python $$one || exit 1; done

pictures: venv  ## 更新手册中的图（需要 Chromium） / renew the pictures of the user guide
	@$(BIN)/python scripts/guide_pictures.py

bundle: venv  ## 离线安装包，写入 dist/ / an offline bundle into dist/
	@$(BIN)/python scripts/bundle.py

# The runtime lock is held to the versions of the whole one; pip is locked apart, for the offline bundle alone.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

lock:  ## 更新锁定文件（需要 uv） / renew the locks (needs uv)
	$(LOCK) --upgrade --group dev --extra second-opinion --extra centre pyproject.toml -o requirements.lock
	$(LOCK) --upgrade --constraint requirements.lock --extra centre pyproject.toml -o requirements.run.lock
	echo pip | $(LOCK) --upgrade - -o requirements.pip.lock

clean:  ## 清除生成物 / remove what was made
	rm -rf $(VENV) demo build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

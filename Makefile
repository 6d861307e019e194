# make                          build: interpreter chosen, dependencies, launcher
# make demo [ONCE=1] [PORT=n]   a whole running mail server in ./demo-home
# make test                     all tests
# make setup check [HOME_DIR=DIR] [SINGLE=1]    install or upgrade a home, and verify it
# make rollback [HOME_DIR=DIR]  put replaced programs back
# make cert | cert-req [HOME_DIR=DIR]    a certificate for the home's servers, or a request for one
# make tmprsadh [HOME_DIR=DIR]  the files of temporary keys that old versions used
# make bench [ROUNDS=3] [FIGURES="start ..."] [PLACES="disk memory"] [PEER_HOME=DIR] [JSON=FILE] [PLOT=FILE]    how fast it is here (qmail-bench(8))
# make crash [EVERY=1] [KINDS="kills power faults"]    at every step of a message's life: is anything lost?
# make soak [SECONDS=300] [SESSIONS=500] [MESSAGES=20000] [SEED=n]    a home under load, whose processes are killed in turn: does all arrive?
# make fuzz [SECONDS=10] [TARGETS="cdb ..."] [SEED=1] [PLAIN=1] [INPUT=FILE]    hostile input for every reader: is any promise broken?
# make users                    create the qmail users and groups that are missing (root)

HOME_DIR := $(shell head -n 1 conf-home)
SINGLE :=
PROGRAMS :=
ONCE :=
PORT := 2525
ROUNDS := 3
FIGURES :=
PLACES :=
PEER_HOME :=
JSON :=
PLOT :=
EVERY := 1
KINDS :=
SECONDS :=
SEED :=
TARGETS :=
PLAIN :=
INPUT :=

# Any python3 can look for the one to use: Python 3.11 or newer that every user of a home can execute.
FINDER := $(firstword $(shell command -v python3 /usr/bin/python3 2>/dev/null))
PYTHON = $$(cat .build/python)
RUN = PYTHONPATH=$(CURDIR):$(CURDIR)/.build/site $(PYTHON) -m
FUZZ = PYTHONPATH=$(CURDIR):$(CURDIR)/.build/site:$(CURDIR)/.build/fuzz/tools $(PYTHON) -m fuzz
TOOL = PYTHONPATH=$(CURDIR):$(CURDIR)/.build/tools:$(CURDIR)/.build/site $(PYTHON) -m
INSTALL = $(RUN) qmailpy.install
HOME_OPTIONS = --home '$(HOME_DIR)' $(if $(SINGLE),--single) $(if $(PROGRAMS),--programs '$(PROGRAMS)')

.PHONY: all setup check rollback users cert cert-req tmprsadh demo test bench crash soak fuzz types lint pages clean
.DEFAULT_GOAL := all

all: .build/python .build/site/complete .build/tools/complete .build/launcher

.build/python: qmailpy/install/needs.py qmailpy/install/interpreter.py
	@test -n '$(FINDER)' || { echo 'make: there is no python3 here: on Debian, apt-get install python3 python3-pip gcc libc6-dev make git'; exit 1; }
	@mkdir -p .build
	@$(FINDER) -m qmailpy.install.needs > $@.new && mv $@.new $@

.build/site/complete .build/tools/complete: .build/%/complete: setup.cfg | .build/python
	@$(RUN) qmailpy.install.dependencies $* .build/$*
	@touch $@

.build/launcher: $(wildcard launcher/*)
	@$(MAKE) --no-print-directory -C launcher OUT=$(CURDIR)/.build/launcher

setup: all
	@$(INSTALL) setup $(HOME_OPTIONS)

check: all
	@$(INSTALL) check $(HOME_OPTIONS)

rollback: all
	@$(INSTALL) rollback $(HOME_OPTIONS)

users: all
	@$(INSTALL) users $(HOME_OPTIONS)

cert:
	@'$(HOME_DIR)/bin/qmail-cert'

cert-req:
	@'$(HOME_DIR)/bin/qmail-cert' --request

tmprsadh:
	@'$(HOME_DIR)/bin/update-tmprsadh'

demo: all
	@$(INSTALL) demo $(if $(ONCE),--once) --port $(PORT)

test: all
	@$(TOOL) pytest

bench: all
	@$(INSTALL) setup --home '$(CURDIR)/.build/bench-home' --single
	@.build/bench-home/bin/qmail-bench --rounds $(ROUNDS) --figures '$(FIGURES)' --places '$(PLACES)' $(if $(PEER_HOME),--peer '$(PEER_HOME)') \
	  $(if $(JSON),--json '$(JSON)') $(if $(PLOT),--plot '$(PLOT)')

crash: all
	@$(RUN) crash --every $(EVERY) $(KINDS)

soak: all
	@$(INSTALL) setup --home '$(CURDIR)/.build/soak-home' --single
	@$(RUN) crash.soak --home '$(CURDIR)/.build/soak-home' --seconds $(or $(SECONDS),300) --sessions $(or $(SESSIONS),500) \
	  --messages $(or $(MESSAGES),20000) $(if $(SEED),--seed $(SEED))

# Without atheris, where there is none for this Python or no network, the inputs are our own.
fuzz: all
	@if test -z '$(PLAIN)$(INPUT)' && test ! -e .build/fuzz/tools/complete; then mkdir -p .build/fuzz; \
	  $(RUN) qmailpy.install.dependencies fuzz .build/fuzz/tools && touch .build/fuzz/tools/complete; fi || true
	@$(FUZZ) --seconds $(or $(SECONDS),10) --seed $(or $(SEED),1) $(if $(PLAIN),--plain) $(if $(INPUT),--input '$(INPUT)') $(TARGETS)

types: all
	@$(TOOL) mypy --config-file setup.cfg

lint: all
	@$(TOOL) ruff check --config tests/ruff.toml qmailpy tests crash fuzz

pages: all
	@$(RUN) qmailpy.install.pages

clean:
	rm -rf .build demo-home
	find qmailpy tests crash fuzz -name __pycache__ -prune -exec rm -rf {} +

# Every verb calls a script; this file only names them.
PYTHON ?= python3
VENV := .venv/bin/python
OUT ?= 汇总.xlsx
UNION ?= 哈尔滨
FILE ?=
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test check forms summary plan template read paper bench docs pictures lock clean setup

help: ## 列出全部命令
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## 在本机运行全套系统，并填入样例（PORT=8001 换端口）
	@$(PYTHON) scripts/demo.py run

demo-reset: ## 清除演示数据，重新运行演示
	@$(PYTHON) scripts/demo.py reset

test: setup ## 运行全部测试（ARGS="-k 名称" 选择）
	@$(VENV) scripts/run_tests.py $(ARGS)

check: setup ## 格式、类型、迁移、部署、模板与依赖方向的检查
	@$(VENV) scripts/check.py

forms: setup ## 以 JSON 打印全部报表的指标与审核关系
	@SONGWENNUAN_ENV=demo $(VENV) manage.py forms

summary: ## 写出全省汇总 Excel（OUT=文件.xlsx）
	@$(PYTHON) scripts/demo.py summary "$(OUT)"

# OUT's own default belongs to the summary.
plan: ## 写出慰问组走访安排 Excel（OUT=文件.xlsx）
	@$(PYTHON) scripts/demo.py plan "$(if $(filter file,$(origin OUT)),走访安排.xlsx,$(OUT))"

template: ## 写出一个单位的空白填报模板（UNION=哈尔滨 OUT=文件.xlsx）
	@$(PYTHON) scripts/demo.py template "$(UNION)" "$(if $(filter file,$(origin OUT)),$(UNION).xlsx,$(OUT))"

read: ## 以 JSON 打印系统从一个 Excel 文件里读懂了什么（FILE=文件.xlsx）
	@$(PYTHON) scripts/demo.py read "$(FILE)"

paper: ## 写出一个单位报送件的 PDF（UNION=哈尔滨 OUT=文件.pdf）
	@$(PYTHON) scripts/demo.py paper "$(UNION)" "$(if $(filter file,$(origin OUT)),$(UNION).pdf,$(OUT))"

bench: setup ## 运行性能测量（ARGS=参数）
	@$(VENV) scripts/services.py run --name bench -- $(VENV) -m benchmarks $(ARGS)

docs: setup ## 按报表的声明生成 docs/forms/
	@SONGWENNUAN_ENV=demo $(VENV) manage.py forms --write docs/forms

pictures: setup ## 给正在运行的演示拍 README 用的图片（docs/pictures/）
	@$(VENV) scripts/pictures.py

lock: setup ## 按 pyproject.toml 与 package.json 更新锁定文件
	@$(VENV) scripts/lock.py

clean: ## 删除本地产生的环境与缓存（不删演示数据）
	@rm -rf .venv node_modules static/vendor staticfiles .ruff_cache .mypy_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(PYTHON) scripts/setup.py

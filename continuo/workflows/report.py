"""A report of the ledger or of the budgets, as the result of a workflow."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from continuo.activities.reports import Reports
from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.operations.reports import Costs, Days, Query
from continuo.workflows.local_limits import STORE_LIMIT


@workflow.defn(name="Report")
class ReportWorkflow:
    @workflow.run
    async def run(self, query: Any = None) -> Costs | Days:
        """The input is a `Query`, checked here: one that did not fit its type would be tried for ever."""
        try:
            report_query = validated(Query, **(query if isinstance(query, dict) else {}))
        except InputError as error:
            hint = 'such as {"kind": "costs", "by": "model"} or {"kind": "budget"}'
            raise ApplicationError(f"{error}; write a report's input, {hint}", type="InputError") from None
        workflow.set_current_details(f"The {report_query.kind} of {report_query.tenant or 'all tenants'}")
        return await workflow.execute_local_activity_method(
            Reports.report, report_query, schedule_to_close_timeout=STORE_LIMIT
        )

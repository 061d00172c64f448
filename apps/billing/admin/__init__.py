"""What may staff see and do of money in the admin? Each noun's pages in a module of its own (contract 7, 11, 12)."""

from apps.billing.admin import grants, ledger, policies, statements, usage

__all__ = ["grants", "ledger", "policies", "statements", "usage"]

"""The browser planner: pages, charts, job runner; the only code that imports Streamlit."""

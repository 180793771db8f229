"""The planner's navigation: which pages there are, and what holds on all of them."""

from __future__ import annotations

import streamlit as st

from planner import accounts_page, decide, inputs, risk_page, stories_page, studies_page, workers, worth_page

TITLE = "Customer-success capacity planner"
LESS_AIR = "<style>.stMainBlockContainer {padding-top: 4rem}</style>"  # Streamlit leaves a fifth of the screen empty


def main() -> None:
    """Draws the page that the reader is on."""
    st.set_page_config(page_title=TITLE, page_icon=":material/balance:", layout="wide")
    st.html(LESS_AIR)
    workers.warm_up()
    pages = [
        st.Page(decide.show, title="Decide", icon=":material/balance:", url_path="decide", default=True),
        st.Page(accounts_page.show, title="Your accounts", icon=":material/groups:", url_path="accounts"),
        st.Page(risk_page.show, title="Who is at risk", icon=":material/notification_important:", url_path="risk"),
        st.Page(worth_page.show, title="What the team is worth", icon=":material/diversity_3:", url_path="worth"),
        st.Page(studies_page.show, title="Studies", icon=":material/grid_on:", url_path="studies"),
        st.Page(stories_page.show, title="Stories", icon=":material/auto_stories:", url_path="stories"),
    ]
    inputs.restore()
    st.navigation(pages, position="top").run()

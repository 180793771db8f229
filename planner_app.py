"""The browser planner's entry: navigation, nothing else.

The import stays inside the guard, because worker processes import this file again and need no page.
"""

if __name__ == "__main__":
    from planner.app import main

    main()

"""The map: which room answers which question. Imports go down this list only.

ops         how it runs: embedded engines, `up`, health, demo data
backoffice  what staff see: the admin site and its workspaces
ai_training templates of routines, plans, the queue, runs, AI Move, reports
delivery    /api/v1: courses, who takes them, play sessions, the tutor
plans       one person walks one plan
plays       one person plays one lesson
catalog     what can be played: lessons, their timeline, a client's shelf; plans, media, subtitles
billing     what a client may spend: terms, ledger, usage; one door, services.authorize_and_charge
accounts    who is asking: staff, tokens, authentication, permissions
jobs        what is to be done that takes long: once each, however often a worker dies
events      what happened: the outbox, its relay, dead letters, webhooks
api         how we speak HTTP; knows no domain
tenants     who the client is: clients, their people, row-level security
kernel      words that every app shares; no tables
"""

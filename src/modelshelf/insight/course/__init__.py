"""The course's rows, each with the evidence for or against it that a study has.

A finding is a sentence, and the networks that it rests on. One that ties a setting to what became
of networks is a claim: it is made where chance alone would make it in one study of a thousand.
"""

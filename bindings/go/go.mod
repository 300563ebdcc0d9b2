module ctrs.example/flows

go 1.17

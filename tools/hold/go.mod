module cartridge/tools/hold

go 1.25

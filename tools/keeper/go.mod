module cartridge/tools/keeper

go 1.25

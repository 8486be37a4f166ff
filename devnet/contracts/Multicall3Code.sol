// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Preinstalls} from "@eth-optimism/contracts-bedrock/src/libraries/Preinstalls.sol";

/// Its creation code returns the runtime code of Multicall3, as OP-stack chains have it from their first block.
contract Multicall3Code {
    constructor() {
        bytes memory code = Preinstalls.MultiCall3Code;
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }
}

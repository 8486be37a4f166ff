// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IMorphoBlue, PreLiquidation, PreLiquidationParams} from "./PreLiquidation.sol";

/// Stands in for Morpho's factory of pre-liquidation contracts.
contract PreLiquidationFactory {
    IMorphoBlue public immutable MORPHO;

    event CreatePreLiquidation(address indexed preLiquidation, bytes32 id, PreLiquidationParams preLiquidationParams);

    constructor(IMorphoBlue morpho) {
        MORPHO = morpho;
    }

    function createPreLiquidation(bytes32 id, PreLiquidationParams calldata params) external returns (address) {
        PreLiquidation made = new PreLiquidation(MORPHO, id, params);
        emit CreatePreLiquidation(address(made), id, params);
        return address(made);
    }
}

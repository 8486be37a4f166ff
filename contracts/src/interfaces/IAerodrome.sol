// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Registry of the genuine Slipstream pools (Aerodrome's CLFactory); they swap as Uniswap v3's do.
interface ISlipstreamFactory {
    /// @return pool Zero when no such pool exists. The order of the tokens does not matter.
    function getPool(address tokenA, address tokenB, int24 tickSpacing) external view returns (address pool);
}

/// @notice Registry of the genuine Aerodrome v2 pools (PoolFactory).
interface ISolidlyFactory {
    /// @return pool Zero when no such pool exists. The order of the tokens does not matter.
    function getPool(address tokenA, address tokenB, bool stable) external view returns (address pool);
}

interface ISolidlyPool {
    /// @notice Units of the other token that the pool gives for `amountIn`, its fee taken.
    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256);

    /// @notice Pays out, given that the input has been sent to the pool before.
    /// @param data Empty: no callback.
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}

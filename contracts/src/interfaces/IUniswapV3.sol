// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IUniswapV3Pool {
    /// @notice Sends the output to `recipient`, then calls `uniswapV3SwapCallback` on the caller, who pays the input.
    /// @param zeroForOne True to pay token0 and receive token1; token0 is the token with the lower address.
    /// @param amountSpecified Above zero the exact input, below zero the exact output, in token units.
    /// @param sqrtPriceLimitX96 Square root of the price, token1 per token0, at which the swap stops, Q64.96.
    /// @return amount0 Change of the pool's token0 balance: positive is paid by the caller.
    /// @return amount1 The same for token1.
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @notice Registry of the genuine Pancake v3 pools, which have Uniswap v3's `swap`.
interface IPancakeV3Factory {
    /// @param fee Hundredths of a basis point.
    /// @return pool Zero when no such pool exists. The order of the tokens does not matter.
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address pool);
}

interface IPancakeV3SwapCallback {
    /// @notice As Uniswap's `uniswapV3SwapCallback`.
    function pancakeV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}

interface IUniswapV3SwapCallback {
    /// @param amount0Delta Token0 units the caller of `swap` must pay before it returns; negative: has received.
    /// @param amount1Delta The same for token1.
    /// @param data As given to `swap`.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}

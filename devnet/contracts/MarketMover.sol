// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

interface ISettableAggregator {
    function setAnswer(int256 answer) external;
}

interface IERC20Transfer {
    function transfer(address to, uint256 amount) external returns (bool);
}

interface IUniswapV3Pool {
    function token0() external view returns (address);

    function token1() external view returns (address);

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool);

    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

interface ISolidlyFactory {
    function getFee(address pool, bool stable) external view returns (uint256);
}

interface ISolidlyPool {
    function factory() external view returns (ISolidlyFactory);

    function token0() external view returns (address);

    function token1() external view returns (address);

    function reserve0() external view returns (uint256);

    function reserve1() external view returns (uint256);

    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256);

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}

/// Moves the market: writes feed answers and trades every given pool to a given price, in one transaction, so that no
/// block exists in which feed and pool disagree. It trades from its own stock of tokens.
contract MarketMover {
    struct Answer {
        ISettableAggregator aggregator;
        int256 answer;
    }

    /// A price as Uniswap v3 writes it: sqrt(units of token1 per unit of token0) * 2^96.
    struct Target {
        IUniswapV3Pool pool;
        uint160 sqrtPriceX96;
    }

    struct SolidlyTarget {
        ISolidlyPool pool;
        uint160 sqrtPriceX96;
    }

    error NotTrader(address caller);
    error NotTheTradedPool(address caller);

    address public immutable trader;
    address private tradedPool;

    constructor(address trader_) {
        trader = trader_;
    }

    function move(Answer[] calldata answers, Target[] calldata targets, SolidlyTarget[] calldata solidlyTargets)
        external
    {
        if (msg.sender != trader) revert NotTrader(msg.sender);
        for (uint256 i = 0; i < answers.length; i++) {
            answers[i].aggregator.setAnswer(answers[i].answer);
        }
        for (uint256 i = 0; i < targets.length; i++) {
            tradeTo(targets[i].pool, targets[i].sqrtPriceX96);
        }
        for (uint256 i = 0; i < solidlyTargets.length; i++) {
            tradeSolidlyTo(solidlyTargets[i].pool, solidlyTargets[i].sqrtPriceX96);
        }
    }

    function tradeTo(IUniswapV3Pool pool, uint160 sqrtPriceX96) private {
        (uint160 current,,,,,,) = pool.slot0();
        if (current == sqrtPriceX96) return;
        tradedPool = address(pool);
        // The amount is only an upper bound: the swap stops when the price limit is reached.
        pool.swap(address(this), sqrtPriceX96 < current, type(int128).max, sqrtPriceX96, "");
        delete tradedPool;
    }

    /// For pools of the curve x*y: with the fee out of the pool, a trade leaves x*y as it was, so that the reserves at
    /// the price are known.
    function tradeSolidlyTo(ISolidlyPool pool, uint160 sqrtPriceX96) private {
        (uint256 reserve0, uint256 reserve1) = (pool.reserve0(), pool.reserve1());
        uint256 root = Math.sqrt(reserve0 * reserve1);
        uint256 wanted0 = (root << 96) / sqrtPriceX96;
        uint256 wanted1 = (root * sqrtPriceX96) >> 96;
        if (wanted0 > reserve0) sellTo(pool, pool.token0(), wanted0 - reserve0);
        else if (wanted1 > reserve1) sellTo(pool, pool.token1(), wanted1 - reserve1);
    }

    /// @param amount units that are to stay in the pool; the fee, in basis points, comes on top
    function sellTo(ISolidlyPool pool, address token, uint256 amount) private {
        uint256 amountIn = (amount * 10_000) / (10_000 - pool.factory().getFee(address(pool), false));
        uint256 amountOut = pool.getAmountOut(amountIn, token);
        if (amountOut == 0) return; // too little to trade: the price is right
        IERC20Transfer(token).transfer(address(pool), amountIn);
        if (token == pool.token0()) pool.swap(0, amountOut, address(this), "");
        else pool.swap(amountOut, 0, address(this), "");
    }

    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != tradedPool) revert NotTheTradedPool(msg.sender);
        IUniswapV3Pool pool = IUniswapV3Pool(msg.sender);
        if (amount0Delta > 0) IERC20Transfer(pool.token0()).transfer(msg.sender, uint256(amount0Delta));
        if (amount1Delta > 0) IERC20Transfer(pool.token1()).transfer(msg.sender, uint256(amount1Delta));
    }
}

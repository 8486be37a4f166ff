// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

interface ISolidlyFees {
    function getFee(address pool, bool stable) external view returns (uint256);

    function isPaused() external view returns (bool);
}

interface IPoolCallee {
    function hook(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// A Solidly-style pool that trades like Aerodrome's Pool.sol, which is not on npm: the same functions, events and
/// errors, curves, rounding and order of steps in `swap`, and the same overflows and panics. As there, quotes do not see
/// a pause, and tokens that lie here beyond the reserves count as input of the next swap. Left out is what a trader does
/// not see: shares in the pool, claims on fees, price history. Liquidity is a gift: transfer tokens here, then call
/// `sync`.
contract SolidlyPool is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    event Fees(address indexed sender, uint256 amount0, uint256 amount1);
    event Swap(
        address indexed sender,
        address indexed to,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out
    );
    event Sync(uint256 reserve0, uint256 reserve1);

    error InsufficientInputAmount();
    error InsufficientLiquidity();
    error InsufficientOutputAmount();
    error InvalidTo();
    error IsPaused();
    /// @dev The swap would leave less than it found, measured by the curve.
    error K();

    uint256 private constant ONE = 1e18;
    /// @dev The unit of `getFee`: basis points.
    uint256 private constant FEE_UNIT = 10_000;
    /// @dev Newton's method gives up after so many steps.
    uint256 private constant MOST_STEPS = 255;

    address public immutable factory;
    address public immutable token0;
    address public immutable token1;
    /// True for x^3*y + y^3*x, for assets of equal price; false for x*y.
    bool public immutable stable;
    uint256 private immutable unit0;
    uint256 private immutable unit1;

    uint256 public reserve0;
    uint256 public reserve1;
    uint256 public blockTimestampLast;

    /// @param token0_ the token with the lower address
    constructor(address token0_, address token1_, bool stable_) {
        (factory, token0, token1, stable) = (msg.sender, token0_, token1_, stable_);
        (unit0, unit1) = (10 ** IERC20Metadata(token0_).decimals(), 10 ** IERC20Metadata(token1_).decimals());
    }

    /// Sends the output, calls `hook` on its receiver when there is data, and takes what has arrived by then as the
    /// input: it must be worth the output and the fee, which leaves the pool.
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external nonReentrant {
        if (ISolidlyFees(factory).isPaused()) revert IsPaused();
        if (amount0Out == 0 && amount1Out == 0) revert InsufficientOutputAmount();
        if (amount0Out >= reserve0 || amount1Out >= reserve1) revert InsufficientLiquidity();
        if (to == token0 || to == token1) revert InvalidTo();

        if (amount0Out > 0) IERC20(token0).safeTransfer(to, amount0Out);
        if (amount1Out > 0) IERC20(token1).safeTransfer(to, amount1Out);
        if (data.length > 0) IPoolCallee(to).hook(msg.sender, amount0Out, amount1Out, data);

        uint256 amount0In = received(token0, reserve0 - amount0Out);
        uint256 amount1In = received(token1, reserve1 - amount1Out);
        if (amount0In == 0 && amount1In == 0) revert InsufficientInputAmount();
        takeFee(token0, amount0In);
        takeFee(token1, amount1In);

        uint256 before = worth(reserve0, reserve1);
        update();
        if (worth(reserve0, reserve1) < before) revert K();
        emit Swap(msg.sender, to, amount0In, amount1In, amount0Out, amount1Out);
    }

    /// Makes whatever is held the reserves.
    function sync() external nonReentrant {
        update();
    }

    /// @return units of the other token, rounded down, for `amountIn` units of `tokenIn`, fee included
    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256) {
        bool zeroForOne = tokenIn == token0;
        amountIn -= feeOf(amountIn);
        (uint256 x, uint256 y) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        if (!stable) return amountIn * y / (x + amountIn);
        uint256 k = worth(reserve0, reserve1);
        (uint256 unitX, uint256 unitY) = zeroForOne ? (unit0, unit1) : (unit1, unit0);
        (x, y, amountIn) = (x * ONE / unitX, y * ONE / unitY, amountIn * ONE / unitX);
        return (y - stableCounterpart(x + amountIn, y, k)) * unitY / ONE;
    }

    function getReserves() external view returns (uint256, uint256, uint256) {
        return (reserve0, reserve1, blockTimestampLast);
    }

    /// @return units (10^decimals) and reserves of both tokens, the kind of curve, and the tokens
    function metadata() external view returns (uint256, uint256, uint256, uint256, bool, address, address) {
        return (unit0, unit1, reserve0, reserve1, stable, token0, token1);
    }

    function received(address token, uint256 kept) private view returns (uint256) {
        uint256 balance = IERC20(token).balanceOf(address(this));
        return balance > kept ? balance - kept : 0;
    }

    /// Aerodrome sends fees to a contract beside the pool; here the factory keeps them.
    function takeFee(address token, uint256 amountIn) private {
        uint256 fee = feeOf(amountIn);
        if (fee == 0) return;
        IERC20(token).safeTransfer(factory, fee);
        emit Fees(msg.sender, token == token0 ? fee : 0, token == token1 ? fee : 0);
    }

    function feeOf(uint256 amountIn) private view returns (uint256) {
        return amountIn * ISolidlyFees(factory).getFee(address(this), stable) / FEE_UNIT;
    }

    function update() private {
        reserve0 = IERC20(token0).balanceOf(address(this));
        reserve1 = IERC20(token1).balanceOf(address(this));
        blockTimestampLast = block.timestamp;
        emit Sync(reserve0, reserve1);
    }

    /// What the reserves are worth on the curve: it may not fall.
    function worth(uint256 amount0, uint256 amount1) private view returns (uint256) {
        return stable ? stableCurve(amount0 * ONE / unit0, amount1 * ONE / unit1) : amount0 * amount1;
    }

    /// x*y * (x^2 + y^2), each with 18 decimals.
    function stableCurve(uint256 x, uint256 y) private pure returns (uint256) {
        return (x * y / ONE) * (x * x / ONE + y * y / ONE) / ONE;
    }

    /// The reserve that belongs to x on the curve of k. Newton's method, down or up, and by 1 where a step would be
    /// nothing. It ends at the least y that is worth k when it comes from above. When it comes from below it asks
    /// `worth`, which takes its numbers for amounts and scales them again: with other than 18 decimals the end is always
    /// the next one, whatever that is worth. All of this, and reverts where a tiny pool leaves no number, is Aerodrome's.
    /// @param y where to start: the reserve before the swap
    function stableCounterpart(uint256 x, uint256 y, uint256 k) private view returns (uint256) {
        for (uint256 i = 0; i < MOST_STEPS; i++) {
            uint256 reached = stableCurve(x, y);
            uint256 slope = 3 * x * (y * y / ONE) / ONE + (x * x / ONE) * x / ONE;
            bool below = reached < k;
            uint256 step = (below ? k - reached : reached - k) * ONE / slope;
            if (step == 0) {
                if (below && worth(x, y + 1) > k) return y + 1;
                if (!below && (reached == k || stableCurve(x, y - 1) < k)) return y;
                step = 1;
            }
            y = below ? y + step : y - step;
        }
        revert("!y");
    }
}

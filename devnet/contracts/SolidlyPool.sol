// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

interface ISolidlyFees {
    function getFee(address pool, bool stable) external view returns (uint256);
}

interface IPoolCallee {
    function hook(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// A Solidly-style pool that trades like Aerodrome's Pool.sol, which is not on npm: the same functions, events and
/// errors, curves, rounding and order of steps in `swap`. Left out is what a trader does not see: shares in the pool,
/// claims on fees, price history. Liquidity is a gift: transfer tokens here, then call `sync`.
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
    /// @dev The swap would leave less than it found, measured by the curve.
    error K();

    uint256 private constant ONE = 1e18;
    /// @dev The unit of `getFee`: basis points.
    uint256 private constant FEE_UNIT = 10_000;

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

        uint256 before = curve(reserve0, reserve1);
        update();
        if (curve(reserve0, reserve1) < before) revert K();
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
        (uint256 unitX, uint256 unitY) = zeroForOne ? (unit0, unit1) : (unit1, unit0);
        (x, y, amountIn) = (x * ONE / unitX, y * ONE / unitY, amountIn * ONE / unitX);
        return (y - stableCounterpart(x + amountIn, y, stableCurve(x, y))) * unitY / ONE;
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

    function curve(uint256 amount0, uint256 amount1) private view returns (uint256) {
        return stable ? stableCurve(amount0 * ONE / unit0, amount1 * ONE / unit1) : amount0 * amount1;
    }

    /// x*y * (x^2 + y^2), each with 18 decimals; the rounding is Aerodrome's.
    function stableCurve(uint256 x, uint256 y) private pure returns (uint256) {
        return (x * y / ONE) * (x * x / ONE + y * y / ONE) / ONE;
    }

    /// The least y whose curve with x is at least k. Newton's method from above: the curve is convex in y, so that the
    /// steps do not pass the root but for their rounding, which the last two lines undo.
    /// @param y a start that is not below the result: the reserve before the swap
    function stableCounterpart(uint256 x, uint256 y, uint256 k) private pure returns (uint256) {
        while (true) {
            uint256 excess = stableCurve(x, y) - k;
            uint256 slope = 3 * x * (y * y / ONE) / ONE + (x * x / ONE) * x / ONE;
            uint256 step = excess * ONE / slope;
            if (step == 0) break;
            y -= step;
            if (stableCurve(x, y) < k) break;
        }
        while (stableCurve(x, y) < k) y++;
        while (stableCurve(x, y - 1) >= k) y--;
        return y;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ISlipstreamFactory, ISolidlyFactory, ISolidlyPool} from "./interfaces/IAerodrome.sol";
import {
    IPancakeV3Factory,
    IPancakeV3SwapCallback,
    IUniswapV3Pool,
    IUniswapV3SwapCallback
} from "./interfaces/IUniswapV3.sol";
import {PlanReader} from "./PlanReader.sol";
import {Program} from "./Program.sol";
import {Wrappers} from "./Wrappers.sol";

/// @title Swaps straight at the pools, without a router
/// @notice `BUY` is loan and exit at once: a pool of Uniswap v3's kind hands out the debt token first, the rest of the
///         plan runs in its callback, and the pool is paid from what was seized. Over several pools, each is paid by
///         the next one (`BUY_ON`), and the last by us. `SELL` swaps a share of a balance that is here, or unwraps it.
/// @dev There is no price limit on a swap: a sandwich is met by the profit floor, which covers the whole run.
///      A pool is only called when its factory vouches for it, and v3-core's `lock` lets nobody swap in between.
abstract contract Swaps is Program, Wrappers, IUniswapV3SwapCallback, IPancakeV3SwapCallback {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using PlanReader for bytes;

    uint256 internal constant BUY = 1;
    uint256 internal constant BUY_ON = 2;
    uint256 internal constant SELL = 3;
    uint256 internal constant SELL_ON = 7;

    /// @dev Uniswap v3-core TickMath.MIN_SQRT_RATIO + 1 and MAX_SQRT_RATIO - 1: the outermost limits `swap` accepts,
    ///      that is no limit.
    uint160 private constant LOWEST_SQRT_PRICE = 4295128740;
    uint160 private constant HIGHEST_SQRT_PRICE = 1461446703485210103287273052203988822378723970341;

    /// @dev keccak256 of UniswapV3Pool's creation code (v3-periphery PoolAddress.POOL_INIT_CODE_HASH).
    bytes32 private constant POOL_INIT_CODE_HASH = 0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54;

    uint256 private constant BPS = 10_000;

    /// @dev The factory knows no such pool.
    error NoPool(address tokenA, address tokenB, uint256 parameter);
    /// @dev The plan would spend a token that is neither of the pair nor the profit's, which is not the run's to spend,
    ///      or end up with one, which nobody would ever sweep.
    error ForeignToken(address token);
    /// @dev A pool wants more of the token than is for sale. Token units.
    error AskedTooMuch(uint256 owed, uint256 most);
    /// @dev `BUY` needs a pool that calls back, which Solidly's are not used as, and wrappers are not (factory zero).
    error CannotBuyFrom(address factory);

    /// @notice Uniswap v3 factory: the pools of this one need no listing.
    address public immutable factory;

    constructor(address uniswapV3Factory) {
        if (uniswapV3Factory == address(0)) revert ZeroAddress();
        factory = uniswapV3Factory;
    }

    /// @dev How a step names a pool, together with the token that it takes.
    ///      byte 0: token reference (low 4 bits, see `_takeToken`), 16 set when a listed factory follows, 32 set when
    ///      there is no pool, but the token itself is taken apart (see Wrappers);
    ///      bytes 1-3: the fee of Uniswap or Pancake (hundredths of a basis point), Slipstream's tick spacing, or 1 for
    ///      Solidly's stable curve; then the token's address and the factory's, where the first byte asks for them; of
    ///      a wrapper the least to get (16 bytes, units of the token that comes out).
    struct PoolKey {
        address tokenIn;
        uint256 parameter;
        /// Zero for Uniswap v3.
        address factory;
        /// How the factory is listed.
        Kind kind;
        /// The token is taken apart; `parameter` is the least to get.
        bool unwraps;
    }

    uint256 private constant LISTED_FACTORY = 16;
    uint256 private constant UNWRAP = 32;

    /// @dev A sale's callback is told the token to pay with and the most to pay, and nothing else.
    uint256 private constant SELL_DATA_SIZE = 64;

    // ----------------------------------------------------------------------------------------------------- buy

    /// @dev BUY: amount (16 bytes, debt token units), pool key. Everything after it runs before the pool is paid.
    function _buy(Job memory job, bytes calldata steps) internal {
        uint256 amountOut = steps.uintAt(0, 16);
        // Amounts have 16 bytes each: their sum cannot overflow.
        unchecked {
            job.funded += amountOut;
        }
        _buyExactly(job, job.debt, amountOut, address(this), steps.skip(16));
    }

    /// @param payee Gets the tokens: this contract, or the pool that waits for them.
    function _buyExactly(Job memory job, address tokenOut, uint256 amountOut, address payee, bytes calldata steps)
        private
    {
        PoolKey memory key;
        steps = _takePoolKey(job, steps, key);
        address pool = key.unwraps ? address(0) : _uniswapLikePool(key, tokenOut);
        if (pool == address(0)) revert CannotBuyFrom(key.factory);
        job.payWith = key.tokenIn;
        _swap(pool, key, tokenOut, -int256(amountOut), payee, _pack(job, steps));
    }

    /// @notice Called by a pool that has handed out its tokens and wants to be paid.
    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        _afterSwap(amount0Delta, amount1Delta, data);
    }

    /// @notice The same, called by a pool of Pancake's.
    /// @inheritdoc IPancakeV3SwapCallback
    function pancakeV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        _afterSwap(amount0Delta, amount1Delta, data);
    }

    function _afterSwap(int256 amount0Delta, int256 amount1Delta, bytes calldata data) private {
        _takeCallback(data);
        uint256 owed = uint256(amount0Delta > 0 ? amount0Delta : amount1Delta);
        if (data.length == SELL_DATA_SIZE) {
            (address sold, uint256 most) = abi.decode(data, (address, uint256));
            if (owed > most) revert AskedTooMuch(owed, most);
            return _repay(sold, msg.sender, owed);
        }
        (Job memory job, bytes calldata steps) = _unpack(data);
        address token = job.payWith;
        if (steps.length != 0 && uint8(steps[0]) == BUY_ON) {
            return _buyExactly(job, token, owed, msg.sender, steps[1:]);
        }
        _checkOwn(job, token);
        _run(job, steps);
        _repay(token, msg.sender, owed);
    }

    // ---------------------------------------------------------------------------------------------------- sell

    /// @dev SELL: share of the balance (2 bytes, basis points), reference of the token to get, its address if it needs
    ///      one, pool key. SELL_ON, directly after it: the same but for the share; sells all that the sale before
    ///      brought, whichever token its pool key names.
    function _sell(Job memory job, bytes calldata steps) internal returns (bytes calldata) {
        PoolKey memory key;
        address tokenOut;
        uint256 amount = steps.uintAt(0, 2);
        (tokenOut, steps) = _takeSale(job, steps.skip(2), key);
        _checkOwn(job, key.tokenIn);
        amount = _held(key.tokenIn) * amount / BPS;
        while (steps.length != 0 && uint8(steps[0]) == SELL_ON) {
            address through = tokenOut;
            uint256 before = _held(through);
            _sellAmount(job, key, through, amount);
            delete key;
            (tokenOut, steps) = _takeSale(job, steps.skip(1), key);
            (key.tokenIn, amount) = (through, _held(through) - before);
        }
        _sellAmount(job, key, tokenOut, amount);
        _checkOwn(job, tokenOut);
        return steps;
    }

    function _checkOwn(Job memory job, address token) private pure {
        if (!_isOwn(job, token)) revert ForeignToken(token);
    }

    /// @dev Whether it belongs to the run: swept before it, and again when it is over.
    function _isOwn(Job memory job, address token) private pure returns (bool) {
        return token == job.collateral || token == job.debt || token == job.profitToken;
    }

    /// @param key To be filled; empty.
    function _takeSale(Job memory job, bytes calldata steps, PoolKey memory key)
        private
        view
        returns (address tokenOut, bytes calldata rest)
    {
        (tokenOut, rest) = _takeToken(job, steps.uintAt(0, 1), steps.skip(1));
        rest = _takePoolKey(job, rest, key);
    }

    function _sellAmount(Job memory job, PoolKey memory key, address tokenOut, uint256 amount) private {
        if (key.unwraps) {
            _unwrap(key.tokenIn, tokenOut, amount, key.parameter);
        } else {
            address pool = _uniswapLikePool(key, tokenOut);
            if (pool == address(0)) _sellToSolidly(key, tokenOut, amount);
            else _swap(pool, key, tokenOut, amount.toInt256(), address(this), abi.encode(key.tokenIn, amount));
        }
        // What lay here before, and what a pool that ran dry did not take.
        if (!_isOwn(job, key.tokenIn)) _sweep(key.tokenIn);
    }

    function _sellToSolidly(PoolKey memory key, address tokenOut, uint256 amount) private {
        ISolidlyPool pool =
            ISolidlyPool(ISolidlyFactory(key.factory).getPool(key.tokenIn, tokenOut, key.parameter != 0));
        if (address(pool) == address(0)) revert NoPool(key.tokenIn, tokenOut, key.parameter);
        uint256 amountOut = pool.getAmountOut(amount, key.tokenIn);
        IERC20(key.tokenIn).safeTransfer(address(pool), amount);
        (uint256 out0, uint256 out1) = key.tokenIn < tokenOut ? (uint256(0), amountOut) : (amountOut, uint256(0));
        pool.swap(out0, out1, address(this), "");
    }

    // --------------------------------------------------------------------------------------------------- pools

    function _swap(
        address pool,
        PoolKey memory key,
        address tokenOut,
        int256 amount,
        address recipient,
        bytes memory data
    ) private {
        bool zeroForOne = key.tokenIn < tokenOut;
        bool pancake = key.kind == Kind.PancakeV3;
        _expect(pool, pancake ? this.pancakeV3SwapCallback.selector : this.uniswapV3SwapCallback.selector, data);
        IUniswapV3Pool(pool)
            .swap(recipient, zeroForOne, amount, zeroForOne ? LOWEST_SQRT_PRICE : HIGHEST_SQRT_PRICE, data);
    }

    /// @param key To be filled; empty.
    function _takePoolKey(Job memory job, bytes calldata steps, PoolKey memory key)
        private
        view
        returns (bytes calldata rest)
    {
        uint256 first = steps.uintAt(0, 1);
        key.parameter = steps.uintAt(1, 3);
        (key.tokenIn, rest) = _takeToken(job, first & 15, steps.skip(4));
        if (first & LISTED_FACTORY != 0) {
            (key.factory, rest) = (rest.addressAt(0), rest.skip(20));
            key.kind = kindOf[key.factory];
        } else if (first & UNWRAP != 0) {
            (key.unwraps, key.parameter, rest) = (true, rest.uintAt(0, 16), rest.skip(16));
        }
    }

    /// @return pool A genuine pool that swaps as Uniswap v3's do; zero when the factory makes pools of another kind.
    function _uniswapLikePool(PoolKey memory key, address tokenOut) private view returns (address pool) {
        if (key.factory == address(0)) return _uniswapPool(key.tokenIn, tokenOut, key.parameter);
        if (key.kind == Kind.Solidly) return address(0);
        if (key.kind == Kind.Slipstream) {
            pool = ISlipstreamFactory(key.factory).getPool(key.tokenIn, tokenOut, int24(uint24(key.parameter)));
        } else if (key.kind == Kind.PancakeV3) {
            pool = IPancakeV3Factory(key.factory).getPool(key.tokenIn, tokenOut, uint24(key.parameter));
        } else {
            revert UnknownCounterparty(key.factory);
        }
        if (pool == address(0)) revert NoPool(key.tokenIn, tokenOut, key.parameter);
    }

    /// @dev The address at which the factory, and only the factory, can have put this pool: v3-periphery
    ///      PoolAddress.computeAddress. Asking the factory would cost 5,000 gas more.
    function _uniswapPool(address tokenIn, address tokenOut, uint256 fee) private view returns (address pool) {
        (address token0, address token1) = tokenIn < tokenOut ? (tokenIn, tokenOut) : (tokenOut, tokenIn);
        address deployer = factory;
        assembly ("memory-safe") {
            // salt: keccak256(abi.encode(token0, token1, fee))
            let at := mload(0x40)
            mstore(at, token0)
            mstore(add(at, 32), token1)
            mstore(add(at, 64), fee)
            let salt := keccak256(at, 96)
            // CREATE2: keccak256(0xff ++ deployer ++ salt ++ POOL_INIT_CODE_HASH)
            mstore(at, or(shl(248, 0xff), shl(88, deployer)))
            mstore(add(at, 21), salt)
            mstore(add(at, 53), POOL_INIT_CODE_HASH)
            pool := shr(96, shl(96, keccak256(at, 85)))
        }
        if (pool.code.length == 0) revert NoPool(tokenIn, tokenOut, fee);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";

import {IAavePool} from "./interfaces/IAavePool.sol";
import {IUniswapV3Factory, IUniswapV3Pool, IUniswapV3SwapCallback} from "./interfaces/IUniswapV3.sol";

/// @title Chimera
/// @notice Liquidates a position in one transaction without capital of its own: funds, liquidation, swap, repayment
///         and profit in one step, or nothing at all.
/// @dev One Uniswap v3 exact-output swap is loan and exit at once: the pool hands out the debt token first, the
///      callback liquidates with it, and the pool is paid from the seized collateral.
///
///      What holds before and after every transaction: no token balance, no allowance, no expected callback.
///
///      An executor is trusted with timing only. It picks borrower, pair and floor, but money leaves for the Uniswap
///      pool of that pair or for the treasury, and only listed markets are called. The worst a stolen executor key
///      can do is to waste gas, give away the profit of a liquidation (`minProfit` = 0), or pause.
contract Chimera is Ownable2Step, Pausable, ReentrancyGuardTransient, IUniswapV3SwapCallback {
    using SafeERC20 for IERC20;
    using TransientSlot for bytes32;
    using TransientSlot for TransientSlot.AddressSlot;

    /// @param market Aave v3 Pool that holds the position.
    /// @param borrower Account to liquidate.
    /// @param collateralAsset Token to seize and to pay the swap with.
    /// @param debtAsset Token to repay.
    /// @param debtToCover Debt token units to borrow from the swap and to offer; Aave may take slightly less.
    /// @param poolFee Uniswap v3 fee tier, hundredths of a basis point.
    /// @param minProfit Collateral units that must be left over, else everything reverts.
    /// @param deadline Last block timestamp, in seconds, at which the plan may run.
    struct AaveLiquidation {
        address market;
        address borrower;
        address collateralAsset;
        address debtAsset;
        uint256 debtToCover;
        uint24 poolFee;
        uint256 minProfit;
        uint256 deadline;
    }

    /// @param debtCovered Debt token units the market took.
    /// @param collateralSeized Collateral units the market gave.
    /// @param swapInput Collateral units the Uniswap pool took.
    /// @param profit Collateral units left: collateralSeized - swapInput. Debt tokens left over come on top.
    struct Outcome {
        uint256 debtCovered;
        uint256 collateralSeized;
        uint256 swapInput;
        uint256 profit;
    }

    event ExecutorSet(address indexed executor, bool allowed);
    event MarketSet(address indexed market, bool allowed);
    event TreasurySet(address indexed treasury);
    /// @param token Zero for the chain's native coin.
    event Rescued(address indexed token, uint256 amount);
    /// @param protocol The market.
    /// @param debtCovered Debt token units.
    /// @param collateralSeized Collateral units.
    /// @param profit Collateral units.
    event Liquidated(
        address indexed protocol,
        address indexed borrower,
        address collateralAsset,
        address debtAsset,
        uint256 debtCovered,
        uint256 collateralSeized,
        uint256 profit
    );

    error ZeroAddress();
    error NotExecutor(address caller);
    error UnknownMarket(address market);
    error DeadlinePassed();
    /// @dev Collateral and debt are the same token: there is no pool to swap through.
    error SameAsset();
    /// @dev The factory knows no pool of this pair and fee.
    error NoPool();
    error UnexpectedCallback();
    /// @dev The pool had too little of the debt token, or the token took a fee on the way. Debt token units.
    error SwapFellShort(uint256 received, uint256 debtToCover);
    /// @dev The swap costs more than the liquidation brought. Collateral units.
    error SwapExceedsSeized(uint256 swapInput, uint256 collateralSeized);
    /// @dev Collateral units.
    error ProfitBelowFloor(uint256 profit, uint256 minProfit);
    error NativeTransferFailed();
    error RenounceDisabled();

    /// @dev Transient: the pool whose callback the running call awaits, zero at all other times.
    bytes32 private constant EXPECTED_POOL = keccak256("chimera.expected-pool");

    /// @dev Uniswap v3-core TickMath.MIN_SQRT_RATIO + 1 and MAX_SQRT_RATIO - 1: the outermost limits `swap` accepts,
    ///      that is no limit. Price protection is `minProfit`, which covers the whole transaction.
    uint160 private constant LOWEST_SQRT_PRICE = 4295128740;
    uint160 private constant HIGHEST_SQRT_PRICE = 1461446703485210103287273052203988822378723970341;

    /// @notice Uniswap v3 factory: the only source of pools.
    IUniswapV3Factory public immutable factory;

    /// @notice Where profit and everything rescued goes.
    address public treasury;

    /// @notice Accounts that may liquidate and pause.
    mapping(address account => bool) public isExecutor;

    /// @notice Aave v3 Pools that may be called.
    mapping(address market => bool) public isMarket;

    modifier onlyExecutor() {
        if (!isExecutor[msg.sender]) revert NotExecutor(msg.sender);
        _;
    }

    constructor(address initialOwner, address initialTreasury, address uniswapV3Factory) Ownable(initialOwner) {
        if (uniswapV3Factory == address(0)) revert ZeroAddress();
        factory = IUniswapV3Factory(uniswapV3Factory);
        _setTreasury(initialTreasury);
    }

    // ---------------------------------------------------------------------------------------------- liquidation

    /// @notice Liquidates an Aave v3 position and sends the profit to the treasury.
    /// @dev Amounts are differences of balances taken around the run, so tokens sent here beforehand are never
    ///      counted as profit nor spent; they too leave for the treasury.
    ///      A market's or token's own revert is passed on unchanged.
    /// @return outcome What was done, also told by `Liquidated`.
    function liquidateAave(AaveLiquidation calldata plan)
        external
        onlyExecutor
        whenNotPaused
        nonReentrant
        returns (Outcome memory outcome)
    {
        if (block.timestamp > plan.deadline) revert DeadlinePassed();
        if (!isMarket[plan.market]) revert UnknownMarket(plan.market);
        if (plan.collateralAsset == plan.debtAsset) revert SameAsset();
        IUniswapV3Pool pool = IUniswapV3Pool(factory.getPool(plan.collateralAsset, plan.debtAsset, plan.poolFee));
        if (address(pool) == address(0)) revert NoPool();

        IERC20 collateral = IERC20(plan.collateralAsset);
        IERC20 debt = IERC20(plan.debtAsset);
        uint256 collateralBefore = collateral.balanceOf(address(this));
        uint256 debtBefore = debt.balanceOf(address(this));

        outcome.swapInput = _flashSwap(pool, plan, collateralBefore, debtBefore);

        uint256 collateralHeld = collateral.balanceOf(address(this));
        uint256 debtHeld = debt.balanceOf(address(this));
        outcome.profit = collateralHeld - collateralBefore;
        if (outcome.profit < plan.minProfit) revert ProfitBelowFloor(outcome.profit, plan.minProfit);
        outcome.collateralSeized = outcome.profit + outcome.swapInput;
        outcome.debtCovered = debtBefore + plan.debtToCover - debtHeld;

        _sweep(collateral, collateralHeld);
        _sweep(debt, debtHeld);

        emit Liquidated(
            plan.market,
            plan.borrower,
            plan.collateralAsset,
            plan.debtAsset,
            outcome.debtCovered,
            outcome.collateralSeized,
            outcome.profit
        );
    }

    /// @notice Called by the pool in the middle of `liquidateAave`, when the debt token has arrived: liquidates, then
    ///         pays the pool from what was seized.
    /// @dev The pool is genuine (factory), locked against other swaps (v3-core `lock`) and called once (the slot is
    ///      cleared), so `data` is what `liquidateAave` wrote.
    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        TransientSlot.AddressSlot expected = EXPECTED_POOL.asAddress();
        if (msg.sender != expected.tload()) revert UnexpectedCallback();
        expected.tstore(address(0));

        (AaveLiquidation memory plan, uint256 collateralBefore, uint256 debtBefore) =
            abi.decode(data, (AaveLiquidation, uint256, uint256));
        IERC20 collateral = IERC20(plan.collateralAsset);
        IERC20 debt = IERC20(plan.debtAsset);
        IAavePool market = IAavePool(plan.market);

        uint256 received = debt.balanceOf(address(this)) - debtBefore;
        if (received < plan.debtToCover) revert SwapFellShort(received, plan.debtToCover);

        debt.forceApprove(address(market), plan.debtToCover);
        market.liquidationCall(plan.collateralAsset, plan.debtAsset, plan.borrower, plan.debtToCover, false);
        // Aave takes less than offered when close factor or collateral cap it.
        if (debt.allowance(address(this), address(market)) != 0) debt.forceApprove(address(market), 0);

        uint256 seized = collateral.balanceOf(address(this)) - collateralBefore;
        uint256 owed = uint256(amount0Delta > 0 ? amount0Delta : amount1Delta);
        if (owed > seized) revert SwapExceedsSeized(owed, seized);
        collateral.safeTransfer(msg.sender, owed);
    }

    /// @dev Swaps collateral that is not here yet for exactly `debtToCover`.
    /// @return swapInput Collateral units paid.
    function _flashSwap(
        IUniswapV3Pool pool,
        AaveLiquidation calldata plan,
        uint256 collateralBefore,
        uint256 debtBefore
    ) private returns (uint256 swapInput) {
        bool zeroForOne = plan.collateralAsset < plan.debtAsset;
        EXPECTED_POOL.asAddress().tstore(address(pool));
        // An amount beyond int256 turns into an exact-input swap here; the callback then receives too little.
        (int256 amount0, int256 amount1) = pool.swap(
            address(this),
            zeroForOne,
            -int256(plan.debtToCover),
            zeroForOne ? LOWEST_SQRT_PRICE : HIGHEST_SQRT_PRICE,
            abi.encode(plan, collateralBefore, debtBefore)
        );
        return uint256(zeroForOne ? amount0 : amount1);
    }

    function _sweep(IERC20 token, uint256 amount) private {
        // Some tokens refuse to move nothing.
        if (amount != 0) token.safeTransfer(treasury, amount);
    }

    // ------------------------------------------------------------------------------------------ administration

    function setExecutor(address executor, bool allowed) external onlyOwner {
        isExecutor[executor] = allowed;
        emit ExecutorSet(executor, allowed);
    }

    function setMarket(address market, bool allowed) external onlyOwner {
        isMarket[market] = allowed;
        emit MarketSet(market, allowed);
    }

    function setTreasury(address newTreasury) external onlyOwner {
        _setTreasury(newTreasury);
    }

    /// @notice Stops liquidations. Any executor may, so that the bot can pull the brake by itself.
    function pause() external {
        if (!isExecutor[msg.sender]) _checkOwner();
        _pause();
    }

    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Sends this contract's whole balance of a token to the treasury.
    function rescue(IERC20 token) external onlyOwner {
        uint256 amount = token.balanceOf(address(this));
        token.safeTransfer(treasury, amount);
        emit Rescued(address(token), amount);
    }

    /// @notice Sends native coin to the treasury. None is accepted here, but it can be forced upon any contract.
    function rescueNative() external onlyOwner {
        address to = treasury;
        uint256 amount = address(this).balance;
        bool sent;
        // A plain call would copy whatever the receiver returns into memory, at our gas.
        assembly ("memory-safe") {
            sent := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!sent) revert NativeTransferFailed();
        emit Rescued(address(0), amount);
    }

    /// @notice Always reverts: without an owner nothing could be unpaused or rescued.
    function renounceOwnership() public pure override {
        revert RenounceDisabled();
    }

    function _setTreasury(address newTreasury) private {
        if (newTreasury == address(0)) revert ZeroAddress();
        treasury = newTreasury;
        emit TreasurySet(newTreasury);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IAaveDebtToken, IAavePool} from "./interfaces/IAavePool.sol";
import {IComptroller, IMToken} from "./interfaces/ICompoundV2.sol";
import {IMorpho, IMorphoLiquidateCallback} from "./interfaces/IMorpho.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";
import {PlanReader} from "./PlanReader.sol";
import {Program} from "./Program.sol";

/// @title The liquidation itself, by protocol
/// @notice `LIQUIDATE` offers the market all debt tokens that earlier steps brought and takes the collateral. The market's kind
///         decides how. A market's or token's own revert is passed on unchanged.
abstract contract Liquidations is Program, IMorphoLiquidateCallback {
    using SafeERC20 for IERC20;
    using PlanReader for bytes;

    uint256 internal constant LIQUIDATE = 6;

    /// @dev Flags of a Morpho liquidation. SHARES: the amount is borrow shares, else collateral units.
    ///      CALLBACK: the collateral comes first, and all later steps run before the debt is due.
    uint256 private constant SHARES = 1;
    uint256 private constant CALLBACK = 2;

    /// @dev The plan's look found less debt than the plan asks for: a rival was first, or the borrower has repaid.
    /// @param debtLeft In the unit of the look: scaled debt on Aave, borrow shares on Morpho, token units on Compound.
    error NothingToLiquidate(address borrower, uint256 debtLeft);
    /// @dev Compound v2 says no by an error code, with the transaction's status at success (ErrorReporter.sol).
    error CompoundError(address mToken, uint256 code);
    /// @dev The Comptroller does not list this mToken.
    error NotListed(address mToken);
    /// @dev The mToken redeems to another token than the plan's collateral.
    error NotUnderlying(address mToken, address collateral);
    /// @dev The mToken paid in native coin, but the plan's collateral is not wrapped native.
    error NotWrappedNative(address collateral);

    /// @dev With `LOOK_FIRST`: where the borrower's debt stands, and the least of it (16 bytes) that makes the run worth
    ///      going on. It comes before anything else, so that a lost race ends here. A run that goes on pays little for it:
    ///      the liquidation would read the same storage anyway.
    ///      Aave: the debt token (20 bytes), scaled balance. Compound v2: the debt mToken (20 bytes), stored balance.
    ///      Morpho Blue: the market's id (32 bytes), borrow shares.
    ///      The address is the executor's word. It is only asked, by a static call: a wrong answer can end the run or let
    ///      it go on, and what the market says counts in the end.
    function _look(Job memory job, bytes calldata plan) internal view returns (bytes calldata rest) {
        uint256 debt;
        uint256 size = 20;
        if (job.kind == Kind.AaveV3) {
            debt = IAaveDebtToken(plan.addressAt(0)).scaledBalanceOf(job.borrower);
        } else if (job.kind == Kind.CompoundV2) {
            debt = IMToken(plan.addressAt(0)).borrowBalanceStored(job.borrower);
        } else if (job.kind == Kind.MorphoBlue) {
            (, debt,) = IMorpho(job.market).position(bytes32(plan.uintAt(0, 32)), job.borrower);
            size = 32;
        } else {
            revert UnknownCounterparty(job.market);
        }
        uint256 least = plan.uintAt(size, 16);
        rest = plan.skip(size + 16);
        if (debt == 0 || debt < least) revert NothingToLiquidate(job.borrower, debt);
    }

    /// @dev What was given has to be what the market took: nothing of it may stay approved.
    /// @return covered Debt token units that left.
    function _endAllowance(address debt, address spender, uint256 offered) private returns (uint256 covered) {
        uint256 left = IERC20(debt).allowance(address(this), spender);
        if (left != 0) IERC20(debt).forceApprove(spender, 0);
        return offered - left;
    }

    /// @dev LIQUIDATE: what follows depends on the kind of market.
    function _liquidateAt(Job memory job, bytes calldata steps) internal returns (bytes calldata) {
        if (job.kind == Kind.AaveV3) {
            _liquidateAave(job);
            return steps;
        }
        if (job.kind == Kind.CompoundV2) return _liquidateCompound(job, steps);
        if (job.kind == Kind.MorphoBlue) return _liquidateMorpho(job, steps);
        revert UnknownCounterparty(job.market);
    }

    // ---------------------------------------------------------------------------------------------------- aave

    /// @dev Aave takes less than offered when close factor or collateral cap it (LiquidationLogic).
    function _liquidateAave(Job memory job) private {
        IAavePool pool = IAavePool(job.market);
        uint256 offered = job.funded;
        address aToken;
        uint256 before;
        if (job.measureFee) {
            aToken = pool.getReserveData(job.collateral).aTokenAddress;
            before = IERC20(aToken).balanceOf(job.borrower);
        }
        IERC20(job.debt).forceApprove(address(pool), offered);
        pool.liquidationCall(job.collateral, job.debt, job.borrower, offered, false);
        uint256 covered = _endAllowance(job.debt, address(pool), offered);
        uint256 seized = _held(job.collateral);
        if (job.collateral == job.debt) seized -= offered - covered;
        _recordLiquidation(seized, covered);
        if (job.measureFee) {
            uint256 lost = before - IERC20(aToken).balanceOf(job.borrower);
            // Aave rounds scaled balances: with no fee at all, the borrower may lose a unit less than we get.
            if (lost > seized) _recordFees(lost - seized, 0);
        }
    }

    // ------------------------------------------------------------------------------------------------ compound

    /// @dev Compound v2: debt mToken (20 bytes), collateral mToken (20 bytes). The Comptroller vouches for the first;
    ///      the first makes it vouch for the second (Comptroller.liquidateBorrowAllowed and seizeAllowed).
    function _liquidateCompound(Job memory job, bytes calldata steps) private returns (bytes calldata) {
        address debtMToken = steps.addressAt(0);
        address collateralMToken = steps.addressAt(20);
        if (!IComptroller(job.market).markets(debtMToken)) revert NotListed(debtMToken);

        uint256 borrowerBefore = job.measureFee ? IERC20(collateralMToken).balanceOf(job.borrower) : 0;
        (uint256 covered, uint256 mTokens) = _liquidateBorrow(job, debtMToken, collateralMToken);
        uint256 seized = _redeem(job, collateralMToken, mTokens);
        _recordLiquidation(seized, covered);
        // For dust the market may seize nothing at all.
        if (job.measureFee && mTokens != 0) {
            uint256 lost = borrowerBefore - IERC20(collateralMToken).balanceOf(job.borrower);
            // The protocol's share stays behind as mTokens, worth what ours were.
            _recordFees((lost - mTokens) * seized / mTokens, 0);
        }
        return steps.skip(40);
    }

    /// @return covered Debt token units.
    /// @return mTokens Units of the collateral mToken received.
    function _liquidateBorrow(Job memory job, address debtMToken, address collateralMToken)
        private
        returns (uint256 covered, uint256 mTokens)
    {
        uint256 offered = job.funded;
        uint256 mTokensBefore = _held(collateralMToken);
        IERC20(job.debt).forceApprove(debtMToken, offered);
        uint256 code = IMToken(debtMToken).liquidateBorrow(job.borrower, offered, collateralMToken);
        if (code != 0) revert CompoundError(debtMToken, code);
        covered = _endAllowance(job.debt, debtMToken, offered);
        mTokens = _held(collateralMToken) - mTokensBefore;
    }

    /// @dev Moonwell's mWETH and Compound's CEther pay in native coin, which is wrapped again.
    /// @return seized Collateral units.
    function _redeem(Job memory job, address mToken, uint256 mTokens) private returns (uint256 seized) {
        uint256 nativeBefore = address(this).balance;
        uint256 before = _held(job.collateral);
        uint256 code = IMToken(mToken).redeem(mTokens);
        if (code != 0) revert CompoundError(mToken, code);
        uint256 native = address(this).balance - nativeBefore;
        if (native != 0) {
            if (job.collateral != weth) revert NotWrappedNative(job.collateral);
            IWrappedNative(weth).deposit{value: native}();
        } else if (mTokens != 0 && IMToken(mToken).underlying() != job.collateral) {
            revert NotUnderlying(mToken, job.collateral);
        }
        return _held(job.collateral) - before;
    }

    // -------------------------------------------------------------------------------------------------- morpho

    /// @dev Morpho Blue: oracle (20 bytes), interest rate model (20), LLTV (16, wad), flags (1), amount (16).
    function _liquidateMorpho(Job memory job, bytes calldata steps) private returns (bytes calldata) {
        IMorpho.MarketParams memory params = IMorpho.MarketParams({
            loanToken: job.debt,
            collateralToken: job.collateral,
            oracle: steps.addressAt(0),
            irm: steps.addressAt(20),
            lltv: steps.uintAt(40, 16)
        });
        uint256 flags = steps.uintAt(56, 1);
        uint256 amount = steps.uintAt(57, 16);
        steps = steps.skip(73);
        if (flags & CALLBACK != 0) {
            bytes memory data = _pack(job, steps);
            _expect(job.market, this.onMorphoLiquidate.selector, data);
            _callMorpho(job, params, flags, amount, data);
            _dropAllowance(job.debt, job.market);
            return steps.skip(steps.length);
        }
        uint256 offered = job.funded;
        IERC20(job.debt).forceApprove(job.market, offered);
        _callMorpho(job, params, flags, amount, "");
        _endAllowance(job.debt, job.market, offered);
        return steps;
    }

    function _callMorpho(
        Job memory job,
        IMorpho.MarketParams memory params,
        uint256 flags,
        uint256 amount,
        bytes memory data
    ) private {
        (uint256 assets, uint256 shares) = flags & SHARES != 0 ? (uint256(0), amount) : (amount, uint256(0));
        (uint256 seized, uint256 covered) = IMorpho(job.market).liquidate(params, job.borrower, assets, shares, data);
        _recordLiquidation(seized, covered);
    }

    /// @notice Called by Morpho Blue when the collateral has arrived; it pulls the debt afterwards.
    /// @inheritdoc IMorphoLiquidateCallback
    function onMorphoLiquidate(uint256 repaidAssets, bytes calldata data) external {
        _takeCallback(data);
        Job memory job = _runPacked(data);
        _approveRepayment(job.debt, msg.sender, repaidAssets);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Intruder} from "./fixtures/Attackers.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {
    BlocklistToken,
    FalseReturnToken,
    FeeToken,
    HookToken,
    NoReturnToken,
    RebasingToken,
    TestToken
} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Tokens that do not keep to ERC-20: they work, or the whole transaction reverts.
contract ChimeraTokensTest is ChimeraFixture {
    // -------------------------------------------------------------------------------------- returning nothing

    function test_C10_a_debt_token_that_returns_nothing_works() public {
        NoReturnToken token = new NoReturnToken();
        Liquidation memory job = _distressed(weth, token);
        job.steps = _flashSwap(HALF_DEBT + 10e6); // so that the allowance has to be reset and something is left over

        Chimera.Outcome memory outcome = _run(job);

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(token.balanceOf(treasury), 10e6, "left-over debt token");
        _assertEmpty(address(weth), address(token));
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "treasury");
    }

    function test_C10_a_debt_token_that_refuses_to_move_nothing_works_when_nothing_is_left_over() public {
        NoReturnToken token = new NoReturnToken();

        Chimera.Outcome memory outcome = _run(_distressed(weth, token));

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        _assertEmpty(address(weth), address(token));
    }

    function test_C10_a_collateral_token_that_returns_nothing_works() public {
        NoReturnToken token = new NoReturnToken();

        Chimera.Outcome memory outcome = _run(_distressed(token, usdc));

        // 7500 / 1800 = 4.166666; with 5 % 4.375; bonus 0.208333, of which 0.020833 to the protocol. Six decimals.
        vm.assertEq(outcome.collateralSeized, 4.354166e6, "collateral seized");
        vm.assertEq(token.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(token), address(usdc));
    }

    function test_C10_a_token_that_returns_nothing_works_as_a_loan_of_the_market_itself() public {
        NoReturnToken token = new NoReturnToken();
        Liquidation memory job = _distressed(weth, token);
        // The market is approved twice, to liquidate and to be repaid: the token insists on a reset in between.
        job.steps = _loanAndSell(HALF_DEBT + 10e6);
        job.flags = Plans.PROFIT_IN_DEBT;

        Chimera.Outcome memory outcome = _run(job);

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(token.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(weth), address(token));
    }

    // ------------------------------------------------------------------------------------------ moving too little

    function test_C10_C11_a_debt_token_that_arrives_short_reverts_even_when_a_gift_would_fill_the_gap() public {
        FeeToken token = new FeeToken();
        Liquidation memory job = _distressed(weth, token);
        token.mint(address(chimera), 1_000e18);
        token.charge(true);

        _runReverts(job, TestToken.InsufficientBalance.selector); // when the market takes it
    }

    function test_C10_C11_a_loan_that_arrives_short_cannot_be_repaid() public {
        FeeToken token = new FeeToken();
        Liquidation memory job = _distressed(weth, token);
        token.charge(true);
        job.flags = Plans.PROFIT_IN_DEBT;
        job.steps = Plans.loan(address(aave), 1_000e18);

        _runReverts(
            job,
            abi.encodeWithSelector(Program.CannotRepay.selector, address(token), uint256(990e18), uint256(1_000e18))
        );
    }

    function test_C10_C11_a_collateral_token_that_arrives_short_at_the_pool_reverts() public {
        FeeToken token = new FeeToken();
        Liquidation memory job = _distressed(token, usdc);
        token.charge(true);

        _runReverts(job, abi.encodeWithSignature("Error(string)", "IIA")); // v3-core: insufficient input amount
    }

    // ------------------------------------------------------------------------------------------- returning false

    function test_C10_a_token_that_returns_false_to_the_treasury_reverts() public {
        FalseReturnToken token = new FalseReturnToken();
        Liquidation memory job = _distressed(token, usdc);
        token.refuse(treasury);

        _runReverts(job, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
    }

    function test_C10_a_token_that_returns_false_to_the_pool_reverts() public {
        FalseReturnToken token = new FalseReturnToken();
        Liquidation memory job = _distressed(token, usdc);
        token.refuse(dex.factory().getPool(address(token), address(usdc), FEE));

        _runReverts(job, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
    }

    // -------------------------------------------------------------------------------------------------- rebasing

    function test_C10_a_collateral_that_shrinks_while_it_is_here_reverts() public {
        (Liquidation memory job,) = _rebasingInTheMiddle(90);

        (bytes4 selector,) = _errorOf(job);

        vm.assertEq(abi.encodePacked(selector), abi.encodePacked(Program.CannotRepay.selector), "error");
    }

    function test_C10_a_collateral_that_grows_while_it_is_here_goes_to_the_treasury() public {
        uint256 before = vm.snapshotState();
        (Liquidation memory job,) = _rebasingInTheMiddle(100);
        Chimera.Outcome memory plain = _run(job);
        vm.revertToState(before);
        RebasingToken token;
        (job, token) = _rebasingInTheMiddle(110);

        Chimera.Outcome memory outcome = _run(job);

        // 7500 / 1800 * 1.05 less a tenth of the bonus, and a tenth more by the rebase.
        uint256 seized = 4.354166666666666666e18;
        vm.assertEq(plain.collateralSeized, seized, "seized without a rebase");
        vm.assertEq(outcome.profit - plain.profit, seized * 110 / 100 - seized, "growth");
        vm.assertEq(token.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(token), job.debt);
    }

    // ----------------------------------------------------------------------------------------------- blocklists

    function test_C12_a_blocked_treasury_reverts_until_the_owner_names_another() public {
        BlocklistToken token = new BlocklistToken();
        Liquidation memory job = _distressed(token, usdc);
        token.setBlocked(treasury, true);
        _runReverts(job, abi.encodeWithSelector(BlocklistToken.Blocked.selector, treasury));

        address other = _account("other treasury");
        vm.prank(owner);
        chimera.setTreasury(other);
        Chimera.Outcome memory outcome = _run(job);

        vm.assertEq(token.balanceOf(other), outcome.profit, "other treasury");
    }

    function test_C12_a_treasury_blocked_for_the_debt_token_reverts_when_some_is_left_over() public {
        BlocklistToken token = new BlocklistToken();
        Liquidation memory job = _distressed(weth, token);
        token.setBlocked(treasury, true);
        uint256 before = vm.snapshotState();
        _run(job); // nothing left over, nothing refused
        vm.revertToState(before);

        job.steps = _flashSwap(7_510e18);
        _runReverts(job, abi.encodeWithSelector(BlocklistToken.Blocked.selector, treasury));
    }

    function test_C12_a_blocked_chimera_loses_nothing() public {
        BlocklistToken token = new BlocklistToken();
        Liquidation memory job = _distressed(weth, token);
        token.setBlocked(address(chimera), true);

        _runReverts(job, abi.encodeWithSignature("Error(string)", "TF")); // v3-core: transfer failed
        _assertEmpty(address(weth), address(token));
    }

    // ------------------------------------------------------------------------------------------------ helpers

    /// @dev Funds by Aave's flash loan, sells all collateral.
    function _loanAndSell(uint256 amount) private view returns (bytes memory) {
        return bytes.concat(
            Plans.loan(address(aave), amount),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
    }

    /// @dev Chimera's collateral is rebased when the market takes the debt, which is after it gave the collateral.
    /// @param percent Chimera's balance afterwards, of what it was.
    function _rebasingInTheMiddle(uint256 percent) private returns (Liquidation memory job, RebasingToken token) {
        token = new RebasingToken();
        HookToken debt = new HookToken();
        Intruder intruder = new Intruder();
        job = _distressed(token, debt);
        debt.setHook(intruder);
        intruder.strikeWhenPaid(
            aave.getReserveAToken(address(debt)),
            address(0),
            address(token),
            abi.encodeCall(token.rebase, (address(chimera), percent))
        );
    }
}

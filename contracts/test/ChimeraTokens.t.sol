// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Chimera} from "../src/Chimera.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {BlocklistToken, FalseReturnToken, FeeToken, NoReturnToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Tokens that do not keep to ERC-20: they work, or the whole transaction reverts.
contract ChimeraTokensTest is ChimeraFixture {
    function test_C10_a_debt_token_that_returns_nothing_works() public {
        NoReturnToken token = new NoReturnToken();
        Chimera.AaveLiquidation memory plan = _distressed(weth, token);
        plan.debtToCover += 10e6; // so that the allowance has to be reset and something is left over

        Chimera.Outcome memory outcome = _run(plan);

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

        vm.assertEq(outcome.collateralSeized, 4.354166e6, "collateral seized");
        vm.assertEq(token.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(token), address(usdc));
    }

    function test_C10_C11_a_debt_token_that_arrives_short_reverts_even_when_a_gift_would_fill_the_gap() public {
        FeeToken token = new FeeToken();
        Chimera.AaveLiquidation memory plan = _distressed(weth, token);
        token.mint(address(chimera), 1_000e18);
        token.charge(true);

        _runReverts(
            plan, abi.encodeWithSelector(Chimera.SwapFellShort.selector, plan.debtToCover * 99 / 100, plan.debtToCover)
        );
    }

    function test_C10_C11_a_collateral_token_that_arrives_short_at_the_pool_reverts() public {
        FeeToken token = new FeeToken();
        Chimera.AaveLiquidation memory plan = _distressed(token, usdc);
        token.charge(true);

        _runReverts(plan, abi.encodeWithSignature("Error(string)", "IIA")); // v3-core: insufficient input amount
    }

    function test_C10_a_token_that_returns_false_to_the_treasury_reverts() public {
        FalseReturnToken token = new FalseReturnToken();
        Chimera.AaveLiquidation memory plan = _distressed(token, usdc);
        token.refuse(treasury);

        _runReverts(plan, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
    }

    function test_C12_a_blocked_treasury_reverts_until_the_owner_names_another() public {
        BlocklistToken token = new BlocklistToken();
        Chimera.AaveLiquidation memory plan = _distressed(token, usdc);
        token.setBlocked(treasury, true);
        _runReverts(plan, abi.encodeWithSelector(BlocklistToken.Blocked.selector, treasury));

        address other = _account("other treasury");
        vm.prank(owner);
        chimera.setTreasury(other);
        Chimera.Outcome memory outcome = _run(plan);

        vm.assertEq(token.balanceOf(other), outcome.profit, "other treasury");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Gift, Intruder} from "./fixtures/Attackers.sol";
import {BalancerV2, BalancerV3Vault, IBalancerV2VaultFull} from "./fixtures/BalancerVaults.sol";
import {IntruderFixture} from "./fixtures/IntruderFixture.sol";
import {MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {HookToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Attacks through callbacks and reentrancy: C01 to C03, C06, C07, and the pools' share of C04. Those by
///         counterparties are in ChimeraAttacksByCounterparties.t.sol, those on what a run earns in
///         ChimeraAttacksOnProfit.t.sol, those by tokens in ChimeraTokens.t.sol.
contract ChimeraAttacksTest is IntruderFixture {
    address private balancerV2;
    address private balancerV3;
    address private morpho;

    function setUp() public override {
        super.setUp();
        balancerV2 = address(new BalancerV2().vault());
        balancerV3 = address(new BalancerV3Vault());
        morpho = address(new MorphoMarket().morpho());
        _list(balancerV2, Roles.Kind.BalancerV2);
        _list(balancerV3, Roles.Kind.BalancerV3);
        _list(morpho, Roles.Kind.MorphoBlue);
    }

    // ---------------------------------------------------------------------------------------------- callbacks

    function test_C01_every_callback_called_directly_reverts_for_everybody() public {
        _setWethPrice(LOW_WETH_PRICE); // so that the steps would succeed
        usdc.mint(address(chimera), HALF_DEBT);
        weth.mint(address(chimera), 5e18);
        bytes[] memory calls = _callbacks(_packed(_job()));
        address[9] memory callers =
            [stranger, executor, owner, treasury, address(aave), address(pool), balancerV2, balancerV3, morpho];

        for (uint256 i = 0; i < callers.length; i++) {
            for (uint256 j = 0; j < calls.length; j++) {
                _refused(callers[i], calls[j], Program.UnexpectedCallback.selector);
            }
            _refused(
                callers[i], abi.encodeCall(chimera.liquidateInBatch, (Plans.pack(_job()), 0)), Chimera.OnlySelf.selector
            );
        }
        vm.assertEq(usdc.balanceOf(address(chimera)), HALF_DEBT, "debt token");
        vm.assertEq(weth.balanceOf(address(chimera)), 5e18, "collateral");
    }

    function test_C01_callbacks_that_no_step_needs_do_not_exist() public {
        address[] memory assets = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        bytes[6] memory calls = [
            abi.encodeWithSignature("uniswapV3FlashCallback(uint256,uint256,bytes)", 1, 1, ""),
            abi.encodeWithSignature("uniswapV3MintCallback(uint256,uint256,bytes)", 1, 1, ""),
            abi.encodeWithSignature("hook(address,uint256,uint256,bytes)", executor, 1, 1, ""),
            abi.encodeWithSignature("onMorphoRepay(uint256,bytes)", 1, ""),
            abi.encodeWithSignature("onMorphoSupplyCollateral(uint256,bytes)", 1, ""),
            abi.encodeWithSignature(
                "executeOperation(address[],uint256[],uint256[],address,bytes)", assets, amounts, amounts, executor, ""
            )
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory error) = address(chimera).call(calls[i]);
            vm.assertFalse(done, "done");
            vm.assertEq(error, "", "error");
        }
    }

    // ----------------------------------------------------------------------------------- loans in our name

    function test_C02_an_aave_loan_in_our_name_reverts() public {
        usdc.mint(address(chimera), 1_000e6); // enough for any premium
        bytes memory call = _aaveLoan(address(usdc), _packed(_job()));

        _refusedBy(address(aave), stranger, call, abi.encodePacked(Program.UnexpectedCallback.selector));
        _refusedBy(address(aave), executor, call, abi.encodePacked(Program.UnexpectedCallback.selector));
        vm.assertEq(usdc.balanceOf(address(chimera)), 1_000e6, "balance");
    }

    /// @dev The moment at which Aave's call is awaited, comes from Aave, and with the very data that we gave it: only its
    ///      initiator gives it away.
    function test_C02_an_aave_loan_in_our_name_in_the_middle_of_our_own_reverts() public {
        (Liquidation memory job, Intruder intruder) = _hookedDebt();
        _fundBy(address(aave), job);
        bytes memory ours = bytes.concat(
            abi.encode(
                job.market,
                Roles.Kind.AaveV3,
                job.borrower,
                job.collateral,
                job.debt,
                false,
                uint256(7_500e18),
                job.debt,
                address(0)
            ),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
        intruder.strikeWhenPaid(address(chimera), address(0), address(aave), _aaveLoan(job.debt, ours));
        uint256 before = vm.snapshotState();

        Chimera.Outcome memory outcome = _run(job);

        _assertRefused(intruder, Program.UnexpectedCallback.selector);
        vm.revertToState(before);
        _unhook(job.debt);
        _assertSame(outcome, _run(job));
    }

    function test_C02_a_balancer_v2_loan_in_our_name_reverts() public {
        usdc.mint(balancerV2, 1_000e6);

        _refusedBy(
            balancerV2,
            stranger,
            _balancerLoan(address(usdc), 1_000e6, _packed(_job())),
            abi.encodePacked(Program.UnexpectedCallback.selector)
        );
    }

    function test_C02_a_balancer_v2_loan_in_our_name_in_the_middle_of_our_own_reverts() public {
        (Liquidation memory job, Intruder intruder) = _hookedDebt();
        HookToken(job.debt).mint(balancerV2, 10_000e18);
        _fundBy(balancerV2, job);
        intruder.strikeWhenPaid(address(chimera), address(0), balancerV2, _balancerLoan(job.debt, 1, _packed(job)));

        _run(job);

        _assertRefused(intruder, abi.encodeWithSignature("Error(string)", "BAL#400")); // Balancer: REENTRANCY
    }

    /// @dev Morpho and Balancer v3 call back whoever asked, in the middle of our own loan as at any time.
    function test_C02_morpho_and_balancer_v3_call_back_the_borrower_and_not_us() public {
        address[2] memory lenders = [morpho, balancerV3];
        for (uint256 i = 0; i < lenders.length; i++) {
            uint256 before = vm.snapshotState();
            (Liquidation memory job, Intruder intruder) = _hookedDebt();
            HookToken(job.debt).mint(lenders[i], 10_000e18);
            BalancerV3Vault(balancerV3).seed(IERC20(job.debt));
            _fundBy(lenders[i], job);
            bytes memory packed = _packed(job);
            intruder.strikeWhenPaid(
                address(chimera),
                address(0),
                lenders[i],
                i == 0
                    ? abi.encodeWithSignature("flashLoan(address,uint256,bytes)", job.debt, 1, packed)
                    : abi.encodeCall(BalancerV3Vault.unlock, (abi.encodeCall(chimera.onBalancerV3Unlock, (1, packed))))
            );

            Chimera.Outcome memory outcome = _run(job);

            vm.assertTrue(intruder.struck(), "struck");
            vm.assertFalse(intruder.succeeded(), "the intruder has no such callback");
            vm.assertEq(IERC20(job.debt).balanceOf(treasury), outcome.profit, "treasury");
            vm.revertToState(before);
        }
    }

    function test_C03_a_swap_elsewhere_that_pays_us_is_only_a_gift() public {
        dex.sell(pool, IERC20(address(weth)), 1e18, address(chimera));
        uint256 gift = usdc.balanceOf(address(chimera));
        vm.assertGt(gift, 1_900e6, "gift");

        vm.prank(owner);
        chimera.rescue(IERC20(address(usdc)));
        vm.assertEq(usdc.balanceOf(treasury), gift, "treasury");
    }

    function test_C03_a_swap_elsewhere_in_the_middle_of_our_own_does_not_call_us() public {
        (Liquidation memory job, Intruder intruder) = _hookedDebt();
        // The intruder swaps in the pool that we await; it is locked, and would call back the intruder.
        address genuine = dex.factory().getPool(job.collateral, job.debt, FEE);
        intruder.strikeWhenPaid(
            address(chimera),
            address(0),
            genuine,
            abi.encodeCall(pool.swap, (address(chimera), true, -1, 4295128740, _packed(job)))
        );

        _run(job);

        _assertRefused(intruder, abi.encodeWithSignature("Error(string)", "LOK")); // v3-core: locked
    }

    function test_C04_a_fake_pool_cannot_call_back_before_the_genuine_one() public {
        (Liquidation memory job, Intruder intruder) = _hookedDebt();
        // The pool sends the debt token before it calls back: the moment at which the callback is awaited.
        intruder.strikeWhenPaid(address(chimera), address(0), address(chimera), _swapCallback(job));

        uint256 profit = _run(job).profit;

        _assertRefused(intruder, Program.UnexpectedCallback.selector);
        vm.assertEq(IERC20(job.collateral).balanceOf(treasury), profit, "treasury");
    }

    function test_C04_the_genuine_pool_cannot_call_back_twice() public {
        (Liquidation memory job, Intruder intruder) = _hookedCollateral();
        address genuine = dex.factory().getPool(job.collateral, job.debt, FEE);
        // The market sends the collateral inside the first callback.
        intruder.strikeWhenPaid(address(chimera), genuine, address(chimera), _swapCallback(job));

        _run(job);

        _assertRefused(intruder, Program.UnexpectedCallback.selector);
    }

    // --------------------------------------------------------------------------------------- guards and reentry

    function test_C06_a_pause_or_a_missing_role_is_not_bypassed_through_a_callback() public {
        _setWethPrice(LOW_WETH_PRICE);
        vm.prank(executor);
        chimera.pause();

        _runReverts(_job(), Pausable.EnforcedPause.selector);
        bytes[] memory calls = _callbacks(_packed(_job()));
        for (uint256 i = 0; i < calls.length; i++) {
            _refused(address(pool), calls[i], Program.UnexpectedCallback.selector);
        }

        // A swap of the stranger's own calls back the stranger, who has no such function.
        vm.prank(stranger);
        vm.expectRevert();
        pool.swap(address(chimera), true, -int256(HALF_DEBT), 4295128740, _packed(_job()));
    }

    function test_C06_a_pause_in_the_middle_of_a_run_holds_from_the_next_one() public {
        (Liquidation memory job, Intruder intruder) = _hookedCollateral();
        intruder.strikeWhenPaid(address(chimera), owner, address(chimera), abi.encodeCall(chimera.pause, ()));

        _run(job);

        vm.assertTrue(intruder.succeeded(), "paused");
        _runReverts(job, Pausable.EnforcedPause.selector);
    }

    function test_C06_an_intruders_callback_does_not_lower_the_floor() public {
        (Liquidation memory job, Intruder intruder) = _hookedDebt();
        intruder.strikeWhenPaid(address(chimera), address(0), address(chimera), _swapCallback(job)); // its floor is 1
        job.minProfit = 5e18;

        (bytes4 selector,) = _errorOf(job);

        vm.assertEq(abi.encodePacked(selector), abi.encodePacked(Chimera.ProfitBelowFloor.selector), "error");
    }

    function test_C07_reentry_by_a_token_hook_is_refused_even_to_an_executor() public {
        bytes4[3] memory errors = [
            ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            Chimera.OnlySelf.selector
        ];
        for (uint256 i = 0; i < 9; i++) {
            uint256 before = vm.snapshotState();
            (Liquidation memory job, Intruder intruder) = i % 3 == 0 ? _hookedDebt() : _hookedCollateral();
            address genuine = dex.factory().getPool(job.collateral, job.debt, FEE);
            // On the loan's arrival; on the pool's payment; on the profit's departure.
            address payee = i % 3 == 0 ? address(chimera) : i % 3 == 1 ? genuine : treasury;
            intruder.strikeWhenPaid(payee, executor, address(chimera), _entries(job)[i / 3]);

            _run(job);

            _assertRefused(intruder, errors[i / 3]);
            _assertEmpty(job.collateral, job.debt);
            vm.revertToState(before);
        }
    }

    function test_C07_reentry_by_a_block_producer_on_its_bid_is_refused() public {
        _setWethPrice(LOW_WETH_PRICE);
        Intruder producer = new Intruder();
        vm.coinbase(address(producer));
        bytes4[3] memory errors = [
            ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            Chimera.OnlySelf.selector
        ];
        for (uint256 i = 0; i < errors.length; i++) {
            uint256 before = vm.snapshotState();
            producer.strikeWhenPaid(address(producer), executor, address(chimera), _entries(_job())[i]);

            Chimera.Outcome memory outcome =
                _run(bytes.concat(Plans.terms(block.timestamp, 0, 1_000), Plans.pack(_job())));

            _assertRefused(producer, errors[i]);
            vm.assertEq(address(producer).balance, outcome.bid, "bid");
            vm.assertGt(outcome.bid, 0, "bid");
            vm.assertEq(weth.balanceOf(treasury), outcome.profit, "treasury");
            vm.revertToState(before);
        }
    }

    function test_C07_native_coin_that_arrives_in_the_middle_of_a_run_is_no_profit() public {
        (Liquidation memory job, Intruder intruder) = _hookedCollateral();
        Gift gift = new Gift();
        vm.deal(address(gift), 1 ether);
        intruder.strikeWhenPaid(
            address(chimera), address(0), address(gift), abi.encodeCall(gift.give, (address(chimera)))
        );
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory outcome = _run(job);
        vm.assertTrue(intruder.succeeded(), "given");
        vm.assertEq(address(chimera).balance, 1 ether, "waits for rescueNative");
        vm.revertToState(before);

        _unhook(job.collateral);
        _assertSame(outcome, _run(job));
    }

    // ------------------------------------------------------------------------------------------------ helpers

    function _aaveLoan(address token, bytes memory packed) private view returns (bytes memory) {
        return abi.encodeCall(aave.flashLoanSimple, (address(chimera), token, 1_000e6, packed, 0));
    }

    function _balancerLoan(address token, uint256 amount, bytes memory packed) private view returns (bytes memory) {
        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (tokens[0], amounts[0]) = (token, amount);
        return abi.encodeCall(IBalancerV2VaultFull.flashLoan, (address(chimera), tokens, amounts, packed));
    }

    function _refused(address caller, bytes memory call, bytes4 selector) private {
        _refusedBy(address(chimera), caller, call, abi.encodePacked(selector));
    }

    function _refusedBy(address target, address caller, bytes memory call, bytes memory expected) private {
        vm.prank(caller);
        (bool done, bytes memory error) = target.call(call);
        vm.assertFalse(done, "done");
        vm.assertEq(error, expected, "error");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Chimera} from "../src/Chimera.sol";
import {Liquidations} from "../src/Liquidations.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Swaps} from "../src/Swaps.sol";
import {Aerodrome} from "./fixtures/Aerodrome.sol";
import {FakeMToken, HostileExchange, HostileMarket} from "./fixtures/Attackers.sol";
import {BalancerV2, BalancerV3Vault} from "./fixtures/BalancerVaults.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {CompoundMarket} from "./fixtures/CompoundMarket.sol";
import {Dex} from "./fixtures/Dex.sol";
import {MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Attacks by counterparties, listed or not: C04, C05, C08 and C17.
contract ChimeraAttacksByCounterpartiesTest is ChimeraFixture {
    // ----------------------------------------------------------------------------------------- pools, factories

    function test_C04_a_pool_unknown_to_the_factory_is_never_used() public {
        TestToken unlisted = new TestToken("NEW", 18);
        Liquidation memory job = _job();
        job.collateral = address(unlisted);
        _runReverts(job, abi.encodeWithSelector(Swaps.NoPool.selector, address(unlisted), address(usdc), FEE));
    }

    function test_C04_a_pool_of_another_uniswap_factory_is_never_used() public {
        new Dex().open(weth, WETH_PRICE, usdc, USDC_PRICE, 3000, 10_000e18);
        _runReverts(
            _job(Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, 3000))),
            abi.encodeWithSelector(Swaps.NoPool.selector, address(weth), address(usdc), 3000)
        );
    }

    function test_C04_only_listed_factories_are_asked_for_pools() public {
        _setWethPrice(LOW_WETH_PRICE);
        address fake = address(new HostileExchange());
        address[3] memory factories = [fake, address(aave), address(dex.factory())]; // the last is none of the listed
        for (uint256 i = 0; i < factories.length; i++) {
            bytes memory error = abi.encodeWithSelector(Program.UnknownCounterparty.selector, factories[i]);
            _runReverts(_job(_buyFrom(factories[i])), error);
            _runReverts(_job(_sellTo(factories[i])), error);
        }
    }

    function test_C04_a_factory_listed_as_another_kind_has_no_pools() public {
        _setWethPrice(LOW_WETH_PRICE);
        Aerodrome aerodrome = new Aerodrome();
        aerodrome.openSlipstream(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 60, 10_000e18);
        aerodrome.open(weth, 10_000e18, usdc, 18_000_000e6, false);
        address slipstream = address(aerodrome.slipstream());
        address solidly = address(aerodrome.factory());

        // Each has a function of the other's name, of other arguments: nothing answers.
        _list(slipstream, Roles.Kind.Solidly);
        _list(solidly, Roles.Kind.Slipstream);
        _revertsSilently(_sellTo(slipstream));
        _revertsSilently(_sellTo(solidly));
        _revertsSilently(_buyFrom(solidly));
        _runReverts(_job(_buyFrom(slipstream)), abi.encodeWithSelector(Swaps.CannotBuyFrom.selector, slipstream));

        for (uint256 kind = uint256(Roles.Kind.AaveV3); kind < uint256(Roles.Kind.Slipstream); kind++) {
            _list(slipstream, Roles.Kind(kind));
            bytes memory error = abi.encodeWithSelector(Program.UnknownCounterparty.selector, slipstream);
            _runReverts(_job(_sellTo(slipstream)), error);
            _runReverts(_job(_buyFrom(slipstream)), error);
        }
    }

    /// @dev The owner listed an exchange that turned hostile: it gets the profit at the very most.
    function test_C04_a_listed_factory_turned_hostile_gets_no_more_than_was_seized() public {
        _setWethPrice(LOW_WETH_PRICE);
        HostileExchange hostile = new HostileExchange();
        usdc.mint(address(hostile), HALF_DEBT);
        weth.mint(address(chimera), 100e18); // a gift that it cannot reach
        _list(address(hostile), Roles.Kind.Slipstream);
        Liquidation memory job = _job(_buyFrom(address(hostile)));
        uint256 seized = 4.354166666666666666e18; // 7500 / 1800 * 1.05, less a tenth of the bonus

        hostile.set(address(usdc), HALF_DEBT - 1, 0, 1);
        _runReverts(job, TestToken.InsufficientBalance.selector); // the market cannot take what is not there
        hostile.set(address(usdc), HALF_DEBT, seized + 1, 1);
        _runReverts(job, abi.encodeWithSelector(Program.CannotRepay.selector, address(weth), seized, seized + 1));
        hostile.set(address(usdc), HALF_DEBT, seized, 1);
        _runReverts(job, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, 0, 1));
        hostile.set(address(usdc), HALF_DEBT, 1e18, 2);
        _runReverts(job, Program.UnexpectedCallback.selector); // paid once
        hostile.set(address(usdc), HALF_DEBT, 0, 0);
        _runReverts(job, Chimera.NothingLiquidated.selector); // never called

        hostile.set(address(usdc), HALF_DEBT, seized - 1, 1);
        vm.assertEq(_run(job).profit, 1, "what the floor asks for");
    }

    // ------------------------------------------------------------------------------------------------ targets

    function test_C05_only_listed_markets_are_called() public {
        _setWethPrice(LOW_WETH_PRICE);
        Liquidation memory job = _job();
        address[4] memory targets = [address(usdc), address(pool), stranger, address(chimera)];
        for (uint256 i = 0; i < targets.length; i++) {
            job.market = targets[i];
            _runReverts(job, abi.encodeWithSelector(Program.UnknownCounterparty.selector, targets[i]));
        }
    }

    function test_C05_only_listed_lenders_are_called() public {
        address[4] memory targets = [address(usdc), address(pool), stranger, address(chimera)];
        for (uint256 i = 0; i < targets.length; i++) {
            _runReverts(
                _job(Plans.loan(targets[i], HALF_DEBT)),
                abi.encodeWithSelector(Program.UnknownCounterparty.selector, targets[i])
            );
        }
    }

    function test_C05_a_market_or_lender_of_a_kind_that_is_none_is_not_called() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes memory error = abi.encodeWithSelector(Program.UnknownCounterparty.selector, stranger);
        Liquidation memory job = _job();
        job.market = stranger;
        for (uint256 i = 0; i <= uint256(type(Roles.Kind).max); i++) {
            Roles.Kind kind = Roles.Kind(i);
            _list(stranger, kind);
            bool isMarket = kind == Roles.Kind.AaveV3 || kind == Roles.Kind.CompoundV2 || kind == Roles.Kind.MorphoBlue;
            bool isLender = kind == Roles.Kind.AaveV3 || kind == Roles.Kind.MorphoBlue || kind == Roles.Kind.BalancerV2
                || kind == Roles.Kind.BalancerV3;

            if (!isMarket) _runReverts(job, error);
            if (!isLender) _runReverts(_job(Plans.loan(stranger, HALF_DEBT)), error);
            if (kind != Roles.Kind.AaveV3) {
                _runReverts(bytes.concat(_terms(), Plans.packByReserveId(job, 0, 1)), error);
            }
        }
    }

    function test_C05_a_delisted_market_and_lender_is_not_called() public {
        _setWethPrice(LOW_WETH_PRICE);
        _list(address(aave), Roles.Kind.None);
        bytes memory error = abi.encodeWithSelector(Program.UnknownCounterparty.selector, address(aave));
        _runReverts(_job(), error);
        _runReverts(_job(Plans.loan(address(aave), HALF_DEBT)), error);
    }

    function test_C05_an_mtoken_that_the_comptroller_does_not_list_is_not_called() public {
        CompoundMarket compound = new CompoundMarket();
        address genuine = compound.list(usdc, USDC_PRICE);
        address fake = address(new FakeMToken());
        _list(address(compound.comptroller()), Roles.Kind.CompoundV2);
        Liquidation memory job = _job();
        job.market = address(compound.comptroller());

        job.steps = bytes.concat(_buyDebt(), Plans.liquidateCompound(fake, genuine));
        _runReverts(job, abi.encodeWithSelector(Liquidations.NotListed.selector, fake));

        // As the collateral's: code 3 is COMPTROLLER_REJECTION of Compound's ErrorReporter.sol.
        job.steps = bytes.concat(_buyDebt(), Plans.liquidateCompound(genuine, fake));
        _runReverts(job, abi.encodeWithSelector(Liquidations.CompoundError.selector, genuine, 3));
    }

    function test_C05_a_listed_market_turned_hostile_cannot_keep_the_loan() public {
        (Liquidation memory job, HostileMarket hostile) = _hostile();
        weth.mint(address(chimera), 100e18); // not even when a gift could pay for it
        hostile.set(HALF_DEBT, 0, HostileMarket.Trick.None);
        (bytes4 selector, bytes memory error) = _errorOf(job);
        vm.assertEq(abi.encodePacked(selector), abi.encodePacked(Program.CannotRepay.selector), "error");
        uint256 owed = _third(error);

        hostile.set(HALF_DEBT, owed - 1, HostileMarket.Trick.None);
        _runReverts(job, abi.encodeWithSelector(Program.CannotRepay.selector, address(weth), owed - 1, owed));
        hostile.set(HALF_DEBT, owed, HostileMarket.Trick.None);
        _runReverts(job, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, 0, 1));

        hostile.set(HALF_DEBT, owed + 1, HostileMarket.Trick.None);
        vm.assertEq(_run(job).profit, 1, "what the floor asks for");
    }

    function test_C05_C08_a_listed_market_turned_hostile_takes_no_more_than_it_was_offered() public {
        (Liquidation memory job, HostileMarket hostile) = _hostile();
        usdc.mint(address(chimera), 1);

        hostile.set(HALF_DEBT + 1, 5e18, HostileMarket.Trick.None);

        _runReverts(job, TestToken.InsufficientAllowance.selector);
    }

    // --------------------------------------------------------------------------------------------- allowances

    function test_C08_no_allowance_is_left_to_drain() public {
        _setWethPrice(LOW_WETH_PRICE);
        _run(_job(_flashSwap(HALF_DEBT + 10e6))); // the market takes 10 less than allowed
        usdc.mint(address(chimera), 10e6);

        vm.prank(address(aave));
        vm.expectRevert(TestToken.InsufficientAllowance.selector);
        usdc.transferFrom(address(chimera), stranger, 1);
    }

    function test_C08_no_lender_keeps_an_allowance() public {
        _setWethPrice(LOW_WETH_PRICE);
        BalancerV2 balancerV2 = new BalancerV2();
        balancerV2.setFlashFee(0.001e18);
        address[4] memory lenders = [
            address(aave),
            address(new MorphoMarket().morpho()),
            address(balancerV2.vault()),
            address(new BalancerV3Vault())
        ];
        _list(lenders[1], Roles.Kind.MorphoBlue);
        _list(lenders[2], Roles.Kind.BalancerV2);
        _list(lenders[3], Roles.Kind.BalancerV3);
        for (uint256 i = 0; i < lenders.length; i++) {
            uint256 before = vm.snapshotState();
            if (i != 0) usdc.mint(lenders[i], 10_000e6);
            if (i == 3) BalancerV3Vault(lenders[3]).seed(IERC20(address(usdc)));
            Liquidation memory job = _job(bytes.concat(Plans.loan(lenders[i], HALF_DEBT + 10e6), _liquidateAndSell()));
            job.flags = Plans.PROFIT_IN_DEBT;

            _run(job);

            _assertEmpty(address(weth), address(usdc));
            _assertNoAllowance(address(weth), lenders[i]);
            _assertNoAllowance(address(usdc), lenders[i]);
            _assertNoAllowance(address(weth), address(pool));
            vm.revertToState(before);
        }
    }

    // -------------------------------------------------------------------------------------------------- bombs

    function test_C17_a_return_data_bomb_of_a_market_is_not_copied() public {
        (Liquidation memory job, HostileMarket hostile) = _hostile();
        hostile.set(HALF_DEBT, 5e18, HostileMarket.Trick.Bomb);
        bytes memory plan = _plan(job);

        // The bomb itself takes 2 million; copying it would take as much again.
        vm.prank(executor);
        chimera.liquidate{gas: 3_000_000}(plan);
    }

    function test_C17_a_bomb_or_a_burner_in_a_batch_costs_its_gas_limit_and_nothing_else() public {
        (Liquidation memory job, HostileMarket hostile) = _hostile();
        bytes[] memory jobs = new bytes[](2);
        uint256[] memory gasLimits = new uint256[](2);
        (jobs[0], jobs[1]) = (Plans.pack(job), Plans.pack(_job()));
        HostileMarket.Trick[2] memory tricks = [HostileMarket.Trick.Burn, HostileMarket.Trick.RevertingBomb];
        for (uint256 i = 0; i < tricks.length; i++) {
            uint256 before = vm.snapshotState();
            hostile.set(0, 0, tricks[i]);
            // A bomb needs 2 million gas, and its copy as much again.
            gasLimits[0] = i == 0 ? 500_000 : 10_000_000;
            bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, gasLimits));

            uint256 gasBefore = gasleft();
            vm.prank(executor);
            Chimera.Outcome[] memory outcomes = chimera.liquidateBatch(plan);
            uint256 spent = gasBefore - gasleft();

            vm.assertEq(outcomes[0].profit, 0, "hostile");
            vm.assertEq(outcomes[1].debtCovered, HALF_DEBT, "the other");
            vm.assertLt(spent, gasLimits[0] + outcomes[1].gasUsed + 100_000, "gas");
            vm.revertToState(before);
        }
    }

    function test_C17_a_return_data_bomb_of_the_block_producer_is_not_copied() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes memory plan = bytes.concat(Plans.terms(block.timestamp, 0, 1_000), Plans.pack(_job()));
        uint256 state = vm.snapshotState();
        uint256 plain = _gasOf(plan);
        vm.revertToState(state);
        // Runtime: return(0, 100000), whatever is sent: less than the gas of a bid can make.
        vm.etch(block.coinbase, hex"620186a06000f3");

        // The bomb itself takes some 28,000; copying it would take as much again.
        vm.assertLt(_gasOf(plan), plain + 45_000, "gas");
        vm.assertGt(block.coinbase.balance, 0, "bid");
    }

    function _gasOf(bytes memory plan) private returns (uint256) {
        uint256 before = gasleft();
        _run(plan);
        return before - gasleft();
    }

    // ------------------------------------------------------------------------------------------------ helpers

    function _buyDebt() private pure returns (bytes memory) {
        return Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE));
    }

    /// @dev The flash swap at a pool of a listed factory: tick spacing 60.
    function _buyFrom(address factory) private pure returns (bytes memory) {
        return bytes.concat(Plans.buy(HALF_DEBT, Plans.listed(factory, Plans.COLLATERAL, 60)), Plans.liquidate());
    }

    /// @dev Funded by Aave, sold at a pool of a listed factory: volatile.
    function _sellTo(address factory) private view returns (bytes memory) {
        return bytes.concat(
            Plans.loan(address(aave), HALF_DEBT),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.listed(factory, Plans.COLLATERAL, 0))
        );
    }

    function _liquidateAndSell() private pure returns (bytes memory) {
        return bytes.concat(
            Plans.liquidate(), Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
    }

    function _revertsSilently(bytes memory steps) private {
        (, bytes memory error) = _errorOf(_job(steps));
        vm.assertEq(error, "", "error");
    }

    function _hostile() private returns (Liquidation memory job, HostileMarket hostile) {
        _setWethPrice(LOW_WETH_PRICE);
        hostile = new HostileMarket();
        weth.mint(address(hostile), 1_000e18);
        _list(address(hostile), Roles.Kind.AaveV3);
        job = _job();
        job.market = address(hostile);
    }

    /// @dev The third argument of an error, each a word behind the selector.
    function _third(bytes memory error) private pure returns (uint256 third) {
        assembly ("memory-safe") {
            third := mload(add(error, 0x64))
        }
    }
}

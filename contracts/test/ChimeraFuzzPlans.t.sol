// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Chimera} from "../src/Chimera.sol";
import {Roles} from "../src/Roles.sol";
import {BalancerV2, BalancerV3Vault} from "./fixtures/BalancerVaults.sol";
import {Aerodrome} from "./fixtures/Aerodrome.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {vm, within} from "./fixtures/Vm.sol";

/// @notice A stolen executor key: whatever the plan, nobody who is no party to a loan or a swap has less afterwards,
///         the treasury above all, nothing stays in Chimera, and what it calls profit has come in.
/// @dev The treasury holds tokens and has approved them without limit, so that `INVENTORY` may take any amount.
contract ChimeraFuzzPlansTest is ChimeraFixture {
    uint256 private constant TREASURY_USDC = 100_000e6;
    uint256 private constant TREASURY_WETH = 100e18;
    /// @dev A word for each field of `Chimera.Outcome`.
    uint256 private constant OUTCOME_SIZE = 256;

    address[] private counterparties;
    address private solidly;
    address private slipstream;

    function setUp() public override {
        super.setUp();
        dex.open(weth, WETH_PRICE, usdc, USDC_PRICE, 3000, 1_000e18);
        Aerodrome aerodrome = new Aerodrome();
        aerodrome.open(weth, 1_000e18, usdc, 1_800_000e6, false);
        aerodrome.openSlipstream(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 60, 1_000e18);
        (solidly, slipstream) = (address(aerodrome.factory()), address(aerodrome.slipstream()));
        address morpho = address(new MorphoMarket().morpho());
        address balancerV2 = address(new BalancerV2().vault());
        address balancerV3 = address(new BalancerV3Vault());
        counterparties = [address(aave), morpho, balancerV2, balancerV3, solidly, slipstream, address(pool)];
        _list(morpho, Roles.Kind.MorphoBlue);
        _list(balancerV2, Roles.Kind.BalancerV2);
        _list(balancerV3, Roles.Kind.BalancerV3);
        _list(solidly, Roles.Kind.Solidly);
        _list(slipstream, Roles.Kind.Slipstream);
        for (uint256 i = 1; i < 4; ++i) {
            usdc.mint(counterparties[i], 100_000e6);
        }
        BalancerV3Vault(balancerV3).seed(IERC20(address(usdc)));

        usdc.mint(treasury, TREASURY_USDC);
        weth.mint(treasury, TREASURY_WETH);
        vm.prank(treasury);
        usdc.approve(address(chimera), type(uint256).max);
        vm.prank(treasury);
        weth.approve(address(chimera), type(uint256).max);
        _setWethPrice(LOW_WETH_PRICE);
    }

    /// @param gift Collateral, debt token and native coin units that lie in Chimera.
    function testFuzz_random_bytes_take_nothing(bytes calldata plan, uint64 gift) public {
        _give(gift);
        _strike(plan, gift);
    }

    /// @dev With terms and a head that are in order, so that the steps are reached.
    function testFuzz_random_steps_take_nothing(bytes calldata steps, uint64 gift) public {
        _give(gift);
        _strike(_plan(_job(steps)), gift);
        _strike(_plan(_job(bytes.concat(Plans.loan(address(aave), HALF_DEBT), steps))), gift);
    }

    /// @param flips Bits to flip in that byte; none leaves the plan as it is.
    function testFuzz_a_valid_plan_with_a_flipped_byte_takes_nothing(
        uint256 shape,
        uint256 at,
        uint8 flips,
        uint64 gift
    ) public {
        bytes memory plan = _validPlan(within(shape, 0, 6));
        at = within(at, 0, plan.length - 1);
        plan[at] ^= bytes1(flips);
        _give(gift);

        bool done = _strike(plan, gift);

        if (flips == 0) vm.assertTrue(done, "the plan as it was");
    }

    /// @dev Steps that are well-formed, in an order that nobody would choose, around a liquidation that would work.
    function testFuzz_a_random_program_takes_nothing(uint256 seed, uint256 length, uint64 gift) public {
        bytes memory steps;
        length = within(length, 0, 4);
        uint256 middle = within(seed, 0, length);
        for (uint256 i = 0; i <= length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            steps = bytes.concat(steps, i == middle ? _loanAndSell(within(seed, 9_500, 10_000)) : _step(seed));
        }
        Liquidation memory job = _job(steps);
        job.flags = uint8(within(seed >> 8, 0, 2)) | (seed & 1 == 0 ? Plans.MEASURE_FEE : 0);
        _give(gift);

        _strike(bytes.concat(Plans.terms(block.timestamp, 0, seed % 3 == 0 ? 9_999 : 0), Plans.pack(job)), gift);
    }

    /// @dev Every shape of plan that the flips start from runs.
    function test_the_plans_that_are_mutated_run() public {
        for (uint256 i = 0; i <= 6; ++i) {
            uint256 before = vm.snapshotState();
            vm.assertTrue(_strike(_validPlan(i), 0), "valid");
            vm.revertToState(before);
        }
    }

    // ------------------------------------------------------------------------------------------------ helpers

    function _give(uint256 gift) private {
        weth.mint(address(chimera), gift);
        usdc.mint(address(chimera), gift);
        vm.deal(address(chimera), gift);
    }

    /// @dev Both as one liquidation and as a batch; what the first leaves is what the second finds.
    function _strike(bytes memory plan, uint256 gift) private returns (bool done) {
        done = _strikeWith(abi.encodeCall(chimera.liquidate, (plan)), gift);
        bool batched = _strikeWith(abi.encodeCall(chimera.liquidateBatch, (plan)), gift);
        return done || batched;
    }

    function _strikeWith(bytes memory call, uint256 gift) private returns (bool done) {
        address[5] memory bystanders = [owner, lender, borrower, stranger, executor];
        uint256[5] memory before;
        for (uint256 i = 0; i < before.length; ++i) {
            before[i] = _wealth(bystanders[i]);
        }
        uint256 usdcBefore = usdc.balanceOf(treasury);
        uint256 wethBefore = weth.balanceOf(treasury);
        uint256 usdcHere = usdc.balanceOf(address(chimera));
        uint256 wethHere = weth.balanceOf(address(chimera));

        bytes memory answer;
        vm.prank(executor);
        (done, answer) = address(chimera).call(call);

        for (uint256 i = 0; i < before.length; ++i) {
            vm.assertEq(_wealth(bystanders[i]), before[i], "a bystander's balances");
        }
        vm.assertGe(usdc.balanceOf(treasury), usdcBefore, "treasury, USDC");
        vm.assertGe(weth.balanceOf(treasury), wethBefore, "treasury, WETH");
        vm.assertEq(address(chimera).balance, gift, "native coin");
        for (uint256 i = 0; i < counterparties.length; ++i) {
            _assertNoAllowance(address(usdc), counterparties[i]);
            _assertNoAllowance(address(weth), counterparties[i]);
        }
        uint256 usdcGain = usdc.balanceOf(treasury) - usdcBefore;
        uint256 wethGain = weth.balanceOf(treasury) - wethBefore;
        if (usdcGain == 0 && wethGain == 0) {
            vm.assertEq(usdc.balanceOf(address(chimera)), usdcHere, "USDC as it was");
            vm.assertEq(weth.balanceOf(address(chimera)), wethHere, "WETH as it was");
            return done;
        }
        _assertEmpty(address(weth), address(usdc));
        if (answer.length != OUTCOME_SIZE) return done; // a batch
        uint256 profit = abi.decode(answer, (Chimera.Outcome)).profit;
        vm.assertGt(profit, 0, "profit");
        vm.assertTrue(profit == usdcGain - usdcHere || profit == wethGain - wethHere, "the profit is all that came");
    }

    /// @dev Balances of either token and of coin; what the tokens are worth does not matter.
    function _wealth(address account) private view returns (uint256) {
        return usdc.balanceOf(account) + weth.balanceOf(account) + account.balance;
    }

    function _validPlan(uint256 shape) private view returns (bytes memory) {
        Liquidation memory job = _job();
        if (shape == 1) return bytes.concat(_terms(), Plans.packByReserveId(job, 0, 1));
        if (shape == 2) {
            bytes[] memory jobs = new bytes[](2);
            (jobs[0], jobs[1]) = (Plans.pack(job), Plans.pack(job)); // the second finds the position healthy
            return bytes.concat(_terms(), Plans.batch(jobs, new uint256[](2)));
        }
        if (shape == 3) {
            job.flags = Plans.MEASURE_FEE;
            bytes memory key = Plans.listed(slipstream, Plans.COLLATERAL, 60);
            job.steps = bytes.concat(Plans.buy(HALF_DEBT, key), Plans.liquidate());
            return bytes.concat(Plans.terms(block.timestamp, 0, 5_000), Plans.pack(job));
        }
        job.flags = Plans.PROFIT_IN_DEBT;
        if (shape == 4) {
            job.steps = bytes.concat(
                Plans.inventory(HALF_DEBT),
                Plans.liquidate(),
                Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
            );
        } else if (shape == 5) {
            job.steps = bytes.concat(
                Plans.loan(counterparties[1], 2_500e6),
                Plans.loan(counterparties[2], 2_500e6),
                Plans.loan(counterparties[3], 2_500e6),
                Plans.liquidate(),
                Plans.sell(5_000, Plans.token(Plans.DEBT), Plans.listed(solidly, Plans.COLLATERAL, 0)),
                Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
            );
        } else if (shape == 6) {
            job.steps = _loanAndSell(10_000);
        } else {
            return _plan(_job());
        }
        return _plan(job);
    }

    function _loanAndSell(uint256 shareBps) private view returns (bytes memory) {
        return bytes.concat(
            Plans.loan(address(aave), HALF_DEBT),
            Plans.liquidate(),
            Plans.sell(shareBps, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
    }

    /// @dev Half of the amounts are small: what is left of the profit could pay for them.
    function _step(uint256 seed) private view returns (bytes memory) {
        uint256 amount = within(seed >> 64, 1, seed >> 128 & 1 == 0 ? 10_000e6 : 20e6);
        uint256 kind = within(seed >> 8, 0, 7);
        (uint8 tokenIn, uint8 tokenOut) = seed >> 16 & 1 == 0 || kind < 2 ? (0, 1) : (1, 0);
        uint256 venue = within(seed >> 24, 0, 3);
        bytes memory key;
        if (venue < 2) key = Plans.uniswap(tokenIn, venue == 0 ? FEE : 3000);
        else if (venue == 2) key = Plans.listed(slipstream, tokenIn, 60);
        else key = Plans.listed(solidly, tokenIn, 0);

        if (kind < 2) return Plans.buy(amount, key);
        if (kind == 2) return Plans.loan(counterparties[within(seed >> 32, 0, 3)], amount);
        if (kind == 3) return Plans.inventory(amount);
        if (kind == 4) return Plans.liquidate();
        return Plans.sell(within(seed >> 40, 0, 10_000), Plans.token(tokenOut), key);
    }
}

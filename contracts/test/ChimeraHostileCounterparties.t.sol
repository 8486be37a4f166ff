// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Chimera} from "../src/Chimera.sol";
import {Funding} from "../src/Funding.sol";
import {Liquidations} from "../src/Liquidations.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Swaps} from "../src/Swaps.sol";
import {HostileExchange} from "./fixtures/Attackers.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {CompoundMarket} from "./fixtures/CompoundMarket.sol";
import {Forger, GreedyLender, Returner, ShadowToken} from "./fixtures/Forgers.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {FeeToken, TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Counterparties that the owner listed and that turned hostile, and honest plans that meet them.
contract ChimeraHostileCounterpartiesTest is ChimeraFixture {
    /// @dev Of half the debt at the low price, as ChimeraLiquidation works it out.
    uint256 private constant SEIZED = 4.354166666666666666e18;

    TestToken private dai;
    Forger private forger;

    function setUp() public override {
        super.setUp();
        _setWethPrice(LOW_WETH_PRICE);
        dai = new TestToken("DAI", 18);
        forger = new Forger();
        usdc.mint(address(forger), 7_501e6);
        _list(address(forger), Roles.Kind.Slipstream);
    }

    function _inDebt(bytes memory steps) private view returns (Liquidation memory job) {
        job = _job(steps);
        job.flags = Plans.PROFIT_IN_DEBT;
    }

    function _sellTo(address factory) private pure returns (bytes memory) {
        return Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.listed(factory, Plans.COLLATERAL, 60));
    }

    function _loanAndSell(bytes memory sale) private view returns (Liquidation memory) {
        return _inDebt(bytes.concat(Plans.loan(address(aave), HALF_DEBT), Plans.liquidate(), sale));
    }

    /// @dev A callback's data as Chimera would write it, for a job of the forger's choice.
    function _forged(TestToken collateral, TestToken debt, bytes memory steps) private view returns (bytes memory) {
        bytes memory job =
            abi.encode(address(aave), Roles.Kind.AaveV3, borrower, collateral, debt, false, uint256(0), weth, weth);
        return bytes.concat(job, steps);
    }

    function _forgeryIsRefused(bytes memory call) private {
        bytes[] memory calls = new bytes[](1);
        calls[0] = call;
        forger.set(chimera, IERC20(address(usdc)), 7_501e6, calls);
        _runReverts(_loanAndSell(_sellTo(address(forger))), Program.UnexpectedCallback.selector);
    }

    function test_C04_a_pool_cannot_put_a_sale_of_its_own_into_the_callback() public {
        dai.mint(address(chimera), 500_000e18);
        bytes memory data = _forged(dai, usdc, _sellTo(address(forger)));
        _forgeryIsRefused(abi.encodeCall(chimera.uniswapV3SwapCallback, (int256(SEIZED), 0, data)));
    }

    function test_C08_a_pool_cannot_borrow_the_inventory_of_the_treasury_in_the_callback() public {
        dai.mint(treasury, 1_000_000e18);
        vm.prank(treasury);
        dai.approve(address(chimera), 1_000_000e18);
        bytes memory data = _forged(weth, dai, Plans.inventory(1_000_000e18));
        _forgeryIsRefused(abi.encodeCall(chimera.uniswapV3SwapCallback, (int256(SEIZED), 0, data)));
    }

    function test_C01_a_pool_cannot_call_the_callback_of_a_lender() public {
        bytes memory data = _forged(weth, usdc, "");
        _forgeryIsRefused(abi.encodeCall(chimera.executeOperation, (address(usdc), 0, 7_000e6, address(chimera), data)));
        _forgeryIsRefused(abi.encodeCall(chimera.onMorphoFlashLoan, (1e6, data)));
        // Not even with the very data that it was given.
        bytes memory given = abi.encode(address(weth), SEIZED);
        _forgeryIsRefused(abi.encodeCall(chimera.onMorphoFlashLoan, (1e6, given)));
        _forgeryIsRefused(abi.encodeCall(chimera.onMorphoLiquidate, (1e6, given)));
        _forgeryIsRefused(abi.encodeCall(chimera.onBalancerV3Unlock, (1e6, given)));
        _forgeryIsRefused(abi.encodeCall(chimera.pancakeV3SwapCallback, (int256(SEIZED), 0, given)));
    }

    function test_C08_a_lender_that_pulls_less_than_it_asked_for_keeps_no_allowance() public {
        GreedyLender greedy = new GreedyLender(300e6);
        usdc.mint(address(greedy), HALF_DEBT);
        _list(address(greedy), Roles.Kind.MorphoBlue);
        bytes memory sale = Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE));

        _run(_inDebt(bytes.concat(Plans.loan(address(greedy), HALF_DEBT), Plans.liquidate(), sale)));

        vm.assertEq(usdc.balanceOf(address(greedy)), HALF_DEBT, "repaid");
        vm.assertEq(usdc.allowance(address(chimera), address(greedy)), 0, "allowance");
    }

    function test_C11_a_pool_that_asks_for_more_than_is_sold_gets_nothing() public {
        HostileExchange hostile = new HostileExchange();
        _list(address(hostile), Roles.Kind.Slipstream);
        dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, 3000, 10_000e18);
        dai.mint(address(chimera), 500_000e18); // waits for rescue
        usdc.mint(address(hostile), 7_700e6);
        hostile.set(address(usdc), 7_700e6, 507_000e18, 1); // some 7,800 DAI are for sale
        bytes memory toDai = Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, 3000));
        bytes memory on = Plans.sellOn(Plans.token(Plans.DEBT), Plans.listed(address(hostile), Plans.COLLATERAL, 60));

        (bytes4 selector,) = _errorOf(_loanAndSell(bytes.concat(toDai, on)));
        vm.assertTrue(selector == Swaps.AskedTooMuch.selector, "asked too much");
    }

    function test_C05_the_collateral_of_a_compound_plan_is_what_its_mtoken_redeems_to() public {
        CompoundMarket compound = new CompoundMarket();
        address mUsdc = compound.list(usdc, USDC_PRICE);
        address mWeth = compound.list(weth, WETH_PRICE);
        _list(address(compound.comptroller()), Roles.Kind.CompoundV2);
        compound.supply(lender, mUsdc, 2_000_000e6);
        compound.supply(borrower, mWeth, 10e18);
        compound.borrow(borrower, mUsdc, 15_000e6);
        compound.setPrice(mWeth, LOW_WETH_PRICE);
        ShadowToken shadow = new ShadowToken(address(chimera), weth);
        dex.open(TestToken(address(shadow)), USDC_PRICE, usdc, USDC_PRICE, FEE, 1_000_000e18);
        bytes memory buy = Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE));
        Liquidation memory job = _job(bytes.concat(buy, Plans.liquidateCompound(mUsdc, mWeth)));
        job.market = address(compound.comptroller());
        job.collateral = address(shadow);

        _runReverts(job, abi.encodeWithSelector(Liquidations.NotUnderlying.selector, mWeth, address(shadow)));
    }

    function test_C10_a_fee_on_transfer_does_not_eat_into_the_inventory_of_the_treasury() public {
        _setWethPrice(WETH_PRICE);
        FeeToken token = new FeeToken();
        Liquidation memory job = _distressed(weth, token);
        job.flags = Plans.PROFIT_IN_DEBT;
        bytes memory sale = Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE));
        job.steps = bytes.concat(Plans.inventory(16_000e18), Plans.liquidate(), sale);
        token.mint(treasury, 16_000e18);
        vm.prank(treasury);
        token.approve(address(chimera), 16_000e18);
        token.charge(true);

        _runReverts(job, abi.encodeWithSelector(Funding.InventoryShort.selector, address(token)));
    }

    function test_C16_chimera_is_not_its_own_treasury() public {
        vm.prank(owner);
        vm.expectRevert(Roles.OwnTreasury.selector);
        chimera.setTreasury(address(chimera));
    }

    function test_C17_a_producer_burns_no_more_than_its_share_of_the_gas() public {
        vm.etch(block.coinbase, hex"fe"); // burns what it gets
        bytes memory plan = bytes.concat(Plans.terms(block.timestamp, 0, 1_000), Plans.pack(_job()));
        uint256 before = gasleft();
        vm.prank(executor);
        try chimera.liquidate{gas: 5_000_000}(plan) {
            revert("expected a revert");
        } catch (bytes memory error) {
            vm.assertEq(error, abi.encodePacked(Roles.NativeTransferFailed.selector), "why");
        }
        vm.assertLt(before - gasleft(), 1_000_000, "gas");
    }

    function test_a_producer_that_sends_its_bid_back_was_not_paid() public {
        vm.etch(block.coinbase, address(new Returner()).code);
        bytes memory plan = bytes.concat(Plans.terms(block.timestamp, 0, 1_000), Plans.pack(_job()));
        _runReverts(plan, abi.encodePacked(Roles.NativeTransferFailed.selector));
    }
}

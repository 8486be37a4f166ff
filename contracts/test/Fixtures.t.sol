// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {SlipstreamFactory} from "../../devnet/contracts/SlipstreamFactory.sol";
import {IPoolCallee, SolidlyPool} from "../../devnet/contracts/SolidlyPool.sol";
import {Aerodrome} from "./fixtures/Aerodrome.sol";
import {BalancerV2, BalancerV3Vault} from "./fixtures/BalancerVaults.sol";
import {CompoundMarket, IMErc20Full, IMTokenFull} from "./fixtures/CompoundMarket.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {IMorphoFull, MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm, within} from "./fixtures/Vm.sol";

/// @notice What the other tests take for granted of the protocols around Chimera. This contract is the liquidator, the
///         borrower of flash loans and the trader.
contract FixturesTest is IPoolCallee {
    uint256 private constant WETH_PRICE = 2_000e8;
    uint256 private constant USDC_PRICE = 1e8;
    uint256 private constant LLTV = 0.86e18;
    /// @dev Morpho's liquidation incentive at that LLTV: min(1.15, 1 / (1 - 0.3 * 0.14)), in integers.
    uint256 private constant INCENTIVE = 1043841336116910229;

    address private immutable borrower = vm.addr(uint256(keccak256("borrower")));
    address private immutable lender = vm.addr(uint256(keccak256("lender")));
    TestToken private weth;
    TestToken private usdc;

    /// @dev Token units the running callback found here.
    uint256 private seen;

    receive() external payable {}

    function setUp() public {
        weth = new TestToken("WETH", 18);
        usdc = new TestToken("USDC", 6);
    }

    // ----------------------------------------------------------------------------------------------- compound

    /// @dev 15,000 USDC against 10 ETH or WETH at 2,000 USD, then at 1,800: liquidatable below 1,875.
    function _compound(bool native) private returns (CompoundMarket market, IMTokenFull collateral, IMErc20Full debt) {
        market = new CompoundMarket();
        debt = IMErc20Full(market.list(usdc, USDC_PRICE));
        collateral = IMTokenFull(native ? market.listNative(WETH_PRICE) : market.list(weth, WETH_PRICE));
        market.supply(lender, address(debt), 1_000_000e6);
        market.supply(borrower, address(collateral), 10e18);
        market.borrow(borrower, address(debt), 15_000e6);
        market.setPrice(address(collateral), 1_800e8);
        usdc.mint(address(this), 15_000e6);
        usdc.approve(address(debt), 15_000e6);
    }

    function _liquidateAndRedeem(IMTokenFull collateral, IMErc20Full debt) private {
        vm.assertEq(debt.liquidateBorrow(borrower, 7_500e6, address(collateral)), 0, "code of the liquidation");
        vm.assertEq(debt.borrowBalanceStored(borrower), 7_500e6, "debt left");
        vm.assertEq(collateral.redeem(collateral.balanceOf(address(this))), 0, "code of the redemption");
    }

    function test_compound_liquidates_and_redeems_an_erc20() public {
        (, IMTokenFull collateral, IMErc20Full debt) = _compound(false);

        _liquidateAndRedeem(collateral, debt);

        // 7,500 / 1,800 * 1.08 * (1 - 0.028)
        vm.assertEq(weth.balanceOf(address(this)), 4.374e18, "WETH redeemed");
        vm.assertEq(usdc.balanceOf(address(this)), 7_500e6, "USDC left");
    }

    function test_compound_redeems_the_native_market_in_native_coin() public {
        (, IMTokenFull collateral, IMErc20Full debt) = _compound(true);
        uint256 before = address(this).balance;

        _liquidateAndRedeem(collateral, debt);

        vm.assertEq(address(this).balance - before, 4.374e18, "ETH redeemed");
    }

    function test_compound_answers_a_liquidation_beyond_the_close_factor_with_a_code() public {
        (, IMTokenFull collateral, IMErc20Full debt) = _compound(false);

        vm.expectEmit(address(debt));
        emit IMTokenFull.Failure(3, 18, 17); // COMPTROLLER_REJECTION of a liquidation: TOO_MUCH_REPAY
        uint256 code = debt.liquidateBorrow(borrower, 7_500e6 + 1, address(collateral));

        vm.assertEq(code, 3, "code");
        vm.assertEq(usdc.balanceOf(address(this)), 15_000e6, "nothing was paid");
    }

    function test_compound_answers_the_liquidation_of_a_healthy_account_with_a_code() public {
        (CompoundMarket market, IMTokenFull collateral, IMErc20Full debt) = _compound(false);
        market.setPrice(address(collateral), 1_875e8);

        vm.expectEmit(address(debt));
        emit IMTokenFull.Failure(3, 18, 3); // INSUFFICIENT_SHORTFALL
        vm.assertEq(debt.liquidateBorrow(borrower, 7_500e6, address(collateral)), 3, "code");
    }

    // ------------------------------------------------------------------------------------------------- morpho

    function test_morpho_gives_the_collateral_first_and_takes_the_debt_after_the_callback() public {
        MorphoMarket market = new MorphoMarket();
        IMorphoFull.MarketParams memory params = market.create(weth, WETH_PRICE, usdc, USDC_PRICE, LLTV);
        market.supply(lender, params, 1_000_000e6);
        market.supplyCollateral(borrower, params, 10e18);
        market.borrow(borrower, params, 17_000e6);
        IMorphoFull morpho = market.morpho();
        usdc.mint(address(this), 17_000e6);

        vm.expectRevert(abi.encodeWithSignature("Error(string)", "position is healthy"));
        morpho.liquidate(params, borrower, 2e18, 0, abi.encode(weth));
        market.setPrices(params, 1_950e8, USDC_PRICE); // 10 * 1,950 * 0.86 = 16,770
        (uint256 seized, uint256 repaid) = morpho.liquidate(params, borrower, 2e18, 0, abi.encode(weth));

        vm.assertEq(seized, 2e18, "seized");
        vm.assertEq(seen, 2e18, "collateral held in the callback");
        vm.assertEq(repaid, Math.ceilDiv(3_900e6 * 1e18, INCENTIVE), "repaid");
        vm.assertEq(usdc.balanceOf(address(this)), 17_000e6 - repaid, "paid");
        (,, uint128 left) = morpho.position(market.id(params), borrower);
        vm.assertEq(left, 8e18, "collateral left");
    }

    function onMorphoLiquidate(uint256 repaidAssets, bytes calldata data) external {
        seen = abi.decode(data, (TestToken)).balanceOf(address(this));
        usdc.approve(msg.sender, repaidAssets);
    }

    function test_morpho_lends_for_the_length_of_a_call_at_no_cost() public {
        IMorphoFull morpho = new MorphoMarket().morpho();
        usdc.mint(address(morpho), 1_000e6);

        morpho.flashLoan(address(usdc), 1_000e6, "");

        vm.assertEq(seen, 1_000e6, "lent");
        vm.assertEq(usdc.balanceOf(address(morpho)), 1_000e6, "repaid");
    }

    function onMorphoFlashLoan(uint256 assets, bytes calldata) external {
        seen = usdc.balanceOf(address(this));
        usdc.approve(msg.sender, assets);
    }

    // ----------------------------------------------------------------------------------------------- balancer

    function _flashLoanV2(BalancerV2 balancer) private returns (uint256 fee) {
        address vault = address(balancer.vault());
        usdc.mint(vault, 1_000e6);
        usdc.mint(address(this), 10e6);
        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (tokens[0], amounts[0]) = (address(usdc), 1_000e6);
        balancer.vault().flashLoan(address(this), tokens, amounts, abi.encode(vault));
        vm.assertEq(seen, 1_010e6, "lent");
        vm.assertEq(usdc.balanceOf(vault), 1_000e6, "repaid");
        return 10e6 - usdc.balanceOf(address(this));
    }

    function receiveFlashLoan(
        address[] calldata tokens,
        uint256[] calldata amounts,
        uint256[] calldata fees,
        bytes calldata data
    ) external {
        seen = TestToken(tokens[0]).balanceOf(address(this));
        TestToken(tokens[0]).transfer(abi.decode(data, (address)), amounts[0] + fees[0]);
    }

    function test_balancer_v2_lends_for_nothing_to_begin_with() public {
        vm.assertEq(_flashLoanV2(new BalancerV2()), 0, "fee");
    }

    function test_balancer_v2_charges_the_fee_its_authorizer_allowed() public {
        BalancerV2 balancer = new BalancerV2();
        balancer.setFlashFee(0.001e18);

        vm.assertEq(_flashLoanV2(balancer), 1e6, "fee");
    }

    function _balancerV3() private returns (BalancerV3Vault vault) {
        vault = new BalancerV3Vault();
        usdc.mint(address(vault), 1_000e6);
        vault.seed(IERC20(address(usdc)));
    }

    /// @dev Called by the v3 Vault during `unlock`.
    function borrowFromV3(uint256 amount, uint256 repaid, uint256 hint) external returns (uint256 credit) {
        (BalancerV3Vault vault, IERC20 token) = (BalancerV3Vault(msg.sender), IERC20(address(usdc)));
        vault.sendTo(token, address(this), amount);
        vm.assertEq(uint256(vault.getTokenDelta(token)), amount, "owed");
        usdc.transfer(address(vault), repaid);
        credit = vault.settle(token, hint);
    }

    function test_balancer_v3_lends_while_unlocked_and_wants_it_settled() public {
        BalancerV3Vault vault = _balancerV3();

        bytes memory result = vault.unlock(abi.encodeCall(this.borrowFromV3, (400e6, 400e6, 400e6)));

        vm.assertEq(abi.decode(result, (uint256)), 400e6, "credit");
        vm.assertEq(usdc.balanceOf(address(vault)), 1_000e6, "repaid");
        vm.assertFalse(vault.isUnlocked(), "locked again");
    }

    function test_balancer_v3_credits_what_arrived_but_no_more_than_the_hint() public {
        BalancerV3Vault vault = _balancerV3();
        usdc.mint(address(this), 100e6);

        bytes memory result = vault.unlock(abi.encodeCall(this.borrowFromV3, (400e6, 401e6, 400e6)));
        vm.assertEq(abi.decode(result, (uint256)), 400e6, "credit");

        vm.expectRevert(BalancerV3Vault.BalanceNotSettled.selector);
        vault.unlock(abi.encodeCall(this.borrowFromV3, (400e6, 399e6, 400e6)));
        vm.expectRevert(BalancerV3Vault.BalanceNotSettled.selector);
        vault.unlock(abi.encodeCall(this.borrowFromV3, (400e6, 401e6, 401e6)));
    }

    function test_balancer_v3_gives_nothing_while_locked() public {
        BalancerV3Vault vault = _balancerV3();

        vm.expectRevert(BalancerV3Vault.VaultIsNotUnlocked.selector);
        vault.sendTo(IERC20(address(usdc)), address(this), 1);
        vm.expectRevert(BalancerV3Vault.VaultIsNotUnlocked.selector);
        vault.settle(IERC20(address(usdc)), 0);
    }

    // ---------------------------------------------------------------------------------------------- aerodrome

    /// @dev The pool gives `getAmountOut` and not one unit more.
    function _sellsExactly(SolidlyPool pool, TestToken token, uint256 amountIn) private returns (uint256 amountOut) {
        amountOut = pool.getAmountOut(amountIn, address(token));
        bool zeroForOne = address(token) == pool.token0();
        token.mint(address(pool), amountIn);

        vm.expectRevert(SolidlyPool.K.selector);
        pool.swap(zeroForOne ? 0 : amountOut + 1, zeroForOne ? amountOut + 1 : 0, address(this), "");
        pool.swap(zeroForOne ? 0 : amountOut, zeroForOne ? amountOut : 0, address(this), "");

        TestToken other = TestToken(zeroForOne ? pool.token1() : pool.token0());
        vm.assertEq(other.balanceOf(address(this)), amountOut, "received");
    }

    function test_solidly_volatile_sells_exactly_what_it_quotes(uint256 amount, bool wethIn) public {
        SolidlyPool pool = new Aerodrome().open(weth, 1_000e18, usdc, 2_000_000e6, false);

        if (wethIn) _sellsExactly(pool, weth, within(amount, 1e12, 10_000e18));
        else _sellsExactly(pool, usdc, within(amount, 1e3, 20_000_000e6));
    }

    function test_solidly_stable_sells_exactly_what_it_quotes(uint256 amount, bool usdcIn, uint256 imbalance) public {
        TestToken dai = new TestToken("DAI", 18);
        uint256 daiReserve = within(imbalance, 50_000e18, 20_000_000e18);
        SolidlyPool pool = new Aerodrome().open(usdc, 1_000_000e6, dai, daiReserve, true);

        if (usdcIn) _sellsExactly(pool, usdc, within(amount, 1e3, 10_000_000e6));
        else _sellsExactly(pool, dai, within(amount, 1e15, 10_000_000e18));
    }

    function test_solidly_takes_the_fee_out_of_the_pool() public {
        Aerodrome aerodrome = new Aerodrome();
        SolidlyPool pool = aerodrome.open(weth, 1_000e18, usdc, 2_000_000e6, false);

        uint256 received = _sellsExactly(pool, weth, 1e18);

        vm.assertEq(received, uint256(0.997e18) * 2_000_000e6 / (1_000e18 + 0.997e18), "received");
        vm.assertEq(weth.balanceOf(address(pool)), 1_000.997e18, "reserve");
        vm.assertEq(weth.balanceOf(address(aerodrome.factory())), 0.003e18, "fee");
    }

    function test_solidly_stable_hardly_moves_the_price() public {
        TestToken dai = new TestToken("DAI", 18);
        SolidlyPool pool = new Aerodrome().open(usdc, 1_000_000e6, dai, 1_000_000e18, true);

        // After the fee of 0.05 % a hundredth of the reserve loses less than a ten-thousandth of a percent.
        vm.assertGt(_sellsExactly(pool, usdc, 10_000e6), 9_994.99e18, "received");
    }

    function test_solidly_calls_the_receiver_before_it_wants_to_be_paid() public {
        Aerodrome aerodrome = new Aerodrome();
        SolidlyPool pool = aerodrome.open(weth, 1_000e18, usdc, 2_000_000e6, false);
        vm.assertEq(aerodrome.factory().getPool(address(usdc), address(weth), false), address(pool), "listed");
        uint256 amountOut = pool.getAmountOut(1e18, address(weth));
        bool wethIsZero = address(weth) == pool.token0();

        pool.swap(wethIsZero ? 0 : amountOut, wethIsZero ? amountOut : 0, address(this), abi.encode(1e18));
        vm.assertEq(seen, amountOut, "held in the callback");

        vm.expectRevert(SolidlyPool.InsufficientInputAmount.selector);
        pool.swap(wethIsZero ? 0 : amountOut, wethIsZero ? amountOut : 0, address(this), "");
    }

    function hook(address, uint256, uint256, bytes calldata data) external {
        seen = usdc.balanceOf(address(this));
        weth.mint(msg.sender, abi.decode(data, (uint256)));
    }

    function test_slipstream_lists_pools_by_tick_spacing_and_they_trade_like_uniswaps() public {
        Aerodrome aerodrome = new Aerodrome();
        SlipstreamFactory factory = aerodrome.slipstream();

        IUniswapV3PoolFull pool = aerodrome.openSlipstream(weth, WETH_PRICE, usdc, USDC_PRICE, 200, 10_000e18);
        aerodrome.slipstreamDex().sell(pool, IERC20(address(weth)), 1e18, address(this));

        vm.assertEq(factory.getPool(address(weth), address(usdc), 200), address(pool), "one order");
        vm.assertEq(factory.getPool(address(usdc), address(weth), 200), address(pool), "the other order");
        vm.assertEq(factory.getPool(address(usdc), address(weth), 10), address(0), "another spacing");
        vm.assertEq(uint24(pool.tickSpacing()), 200, "tick spacing");
        // 2,000 less 1 %, less 0.01 % for its own weight: 1 of 10,000 WETH.
        vm.assertGt(usdc.balanceOf(address(this)), 1_979.8e6, "received");
        vm.assertLt(usdc.balanceOf(address(this)), 1_979.81e6, "received");
    }
}

#if !Net || !OSExt
#error("VerypollAsync requires the traits Net and OSExt of this package, which are on by default")
#endif
